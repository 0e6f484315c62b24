-- name: InsertEntity :execrows
-- Nothing happens when the identity, or by chance the id, is taken.
INSERT INTO entities (
  id, tail, service_id, identity, identity_key, factors_window_start, factors_window_count, created_at, updated_at
) VALUES (
  @id, @tail, @service_id, @identity, @identity_key, 0, 0, @created_at, @created_at
) ON CONFLICT DO NOTHING;

-- name: GetEntity :one
SELECT e.* FROM entities e JOIN services s ON s.id = e.service_id
WHERE s.id = @service_id AND s.tail = @service_tail AND s.deleted_at = 0 AND e.identity_key = @identity_key;

-- name: ListEntities :many
SELECT * FROM entities WHERE service_id = @service_id AND id > @after
ORDER BY id LIMIT CAST(@page_size AS BIGINT);

-- name: ListEntitiesDescending :many
SELECT * FROM entities WHERE service_id = @service_id AND id < @before
ORDER BY id DESC LIMIT CAST(@page_size AS BIGINT);

-- name: AdmitFactor :execrows
-- One more factor in the entity's window, unless the window is full. The window
-- opens with its first factor and never refills early, whatever the clock does.
UPDATE entities SET
  factors_window_count = CASE WHEN factors_window_start + CAST(@window AS BIGINT) <= CAST(@now AS BIGINT) THEN 1 ELSE factors_window_count + 1 END,
  factors_window_start = CASE WHEN factors_window_start + CAST(@window AS BIGINT) <= CAST(@now AS BIGINT) THEN CAST(@now AS BIGINT) ELSE factors_window_start END,
  updated_at = CAST(@now AS BIGINT)
WHERE id = @id
  AND (factors_window_start + CAST(@window AS BIGINT) <= CAST(@now AS BIGINT) OR factors_window_count < CAST(@window_max AS BIGINT));

-- name: RestartFactorsWindow :exec
-- For a window that opened more than its length ahead of the clock: it is as full
-- as it was, and ends one length from now.
UPDATE entities SET factors_window_start = CAST(@now AS BIGINT)
WHERE id = @id AND factors_window_start > CAST(@now AS BIGINT) + CAST(@window AS BIGINT);

-- name: DeleteEntity :execrows
DELETE FROM entities WHERE id = @id;
