-- name: InsertService :execrows
INSERT INTO services (id, tail, revision, settings, created_at, updated_at, deleted_at)
VALUES (@id, @tail, 0, @settings, @created_at, @created_at, 0)
ON CONFLICT (id) DO NOTHING;

-- name: GetService :one
SELECT * FROM services WHERE id = @id AND tail = @tail AND deleted_at = 0;

-- name: ListServices :many
SELECT * FROM services WHERE id > @after AND deleted_at = 0 ORDER BY id LIMIT CAST(@page_size AS BIGINT);

-- name: ListServicesDescending :many
SELECT * FROM services WHERE id < @before AND deleted_at = 0 ORDER BY id DESC LIMIT CAST(@page_size AS BIGINT);

-- name: UpdateService :execrows
-- Compare and set: refused when somebody else changed the service since it was read.
UPDATE services SET revision = revision + 1, settings = @settings, updated_at = @updated_at
WHERE id = @id AND tail = @tail AND deleted_at = 0 AND revision = @revision;

-- name: BuryService :execrows
-- From here on nothing below the service can be reached.
UPDATE services SET deleted_at = @now WHERE id = @id AND tail = @tail AND deleted_at = 0;

-- name: ListBuriedServices :many
SELECT id FROM services WHERE deleted_at <> 0 ORDER BY id LIMIT CAST(@page_size AS BIGINT);

-- name: DeleteBuriedService :execrows
DELETE FROM services WHERE id = @id AND deleted_at <> 0;
