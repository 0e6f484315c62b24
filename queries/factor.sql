-- Unverified factors whose id lies below @fresh are enrolments that nobody
-- finished in time: gone, whether swept or not.

-- name: InsertFactor :execrows
INSERT INTO factors (
  id, tail, entity_id, revision, factor_type, friendly_name, status, metadata,
  totp_alg, totp_skew, totp_code_length, totp_time_step, seed, seed_key, seed_mac, created_at, updated_at
) VALUES (
  @id, @tail, @entity_id, 0, @factor_type, @friendly_name, 'unverified', @metadata,
  @totp_alg, @totp_skew, @totp_code_length, @totp_time_step, @seed, @seed_key, @seed_mac, @created_at, @created_at
) ON CONFLICT (id) DO NOTHING;

-- name: CountFactors :one
-- How many factors of a type the entity has, and whether one of them has this seed.
SELECT COUNT(*) AS total, CAST(COALESCE(SUM(CASE WHEN seed_mac = @seed_mac THEN 1 ELSE 0 END), 0) AS BIGINT) AS same_seed
FROM factors WHERE entity_id = @entity_id AND factor_type = @factor_type;

-- name: DeleteUnfinishedFactors :exec
DELETE FROM factors WHERE entity_id = @entity_id AND status = 'unverified' AND id < @fresh;

-- name: GetFactor :one
SELECT sqlc.embed(f), sqlc.embed(st), e.tail AS entity_tail, e.identity
FROM factors f
JOIN factor_states st ON st.factor_id = f.id
JOIN entities e ON e.id = f.entity_id
JOIN services s ON s.id = e.service_id
WHERE f.id = @id AND f.tail = @tail AND e.identity_key = @identity_key
  AND s.id = @service_id AND s.tail = @service_tail AND s.deleted_at = 0
  AND (f.status <> 'unverified' OR f.id >= @fresh);

-- name: ListFactors :many
SELECT sqlc.embed(f), sqlc.embed(st)
FROM factors f JOIN factor_states st ON st.factor_id = f.id
WHERE f.entity_id = @entity_id AND f.id > @after AND (f.status <> 'unverified' OR f.id >= @fresh)
ORDER BY f.id LIMIT CAST(@page_size AS BIGINT);

-- name: ListFactorsDescending :many
SELECT sqlc.embed(f), sqlc.embed(st)
FROM factors f JOIN factor_states st ON st.factor_id = f.id
WHERE f.entity_id = @entity_id AND f.id < @before AND (f.status <> 'unverified' OR f.id >= @fresh)
ORDER BY f.id DESC LIMIT CAST(@page_size AS BIGINT);

-- name: UpdateFactor :execrows
-- Compare and set: refused when somebody else changed the factor since it was read.
UPDATE factors SET
  revision = revision + 1, friendly_name = @friendly_name,
  totp_alg = @totp_alg, totp_skew = @totp_skew, totp_code_length = @totp_code_length, totp_time_step = @totp_time_step,
  updated_at = @updated_at
WHERE id = @id AND tail = @tail AND revision = @revision;

-- name: MarkFactorVerified :execrows
UPDATE factors SET status = 'verified', revision = revision + 1, updated_at = @now
WHERE id = @id AND status = 'unverified';

-- name: GetFactorStatus :one
SELECT status FROM factors WHERE id = @id;

-- name: DeleteFactor :execrows
DELETE FROM factors WHERE id = @id;

-- name: ListFactorIDs :many
SELECT id FROM factors WHERE entity_id = @entity_id ORDER BY id;

-- name: DeleteUnverifiedFactorsBefore :execrows
DELETE FROM factors WHERE id IN (
  SELECT f.id FROM factors f WHERE f.status = 'unverified' AND f.id < @before
  ORDER BY f.id LIMIT CAST(@step AS BIGINT)
);

-- name: ListSeedsSealedWith :many
SELECT id, tail, seed FROM factors WHERE seed_key = @seed_key AND id > @after ORDER BY id LIMIT CAST(@step AS BIGINT);

-- name: ResealSeed :execrows
UPDATE factors SET seed = @seed, seed_key = @seed_key WHERE id = @id AND seed_key = @old_key;
