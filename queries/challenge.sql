-- A challenge expires at its time, and also when its creation lies ahead of
-- @latest: then the clock went back, and its expiry says nothing.

-- name: InsertChallenge :execrows
INSERT INTO challenges (
  id, tail, entity_id, factor_id, status, attempts, expires_at, responded_at,
  details, hidden_details, metadata, created_at, updated_at
) VALUES (
  @id, @tail, @entity_id, @factor_id, @status, @attempts, @expires_at, @responded_at,
  @details, @hidden_details, '', @created_at, @created_at
) ON CONFLICT (id) DO NOTHING;

-- name: GetChallenge :one
SELECT sqlc.embed(c), sqlc.embed(f), sqlc.embed(st), e.tail AS entity_tail, e.identity
FROM challenges c
JOIN factors f ON f.id = c.factor_id AND f.entity_id = c.entity_id
JOIN factor_states st ON st.factor_id = f.id
JOIN entities e ON e.id = c.entity_id
JOIN services s ON s.id = e.service_id
WHERE c.id = @id AND c.tail = @tail AND e.identity_key = @identity_key
  AND s.id = @service_id AND s.tail = @service_tail AND s.deleted_at = 0;

-- name: GetChallengeRow :one
SELECT * FROM challenges WHERE id = @id;

-- name: ApproveChallenge :execrows
UPDATE challenges SET
  status = 'approved', responded_at = CAST(@now AS BIGINT), updated_at = CAST(@now AS BIGINT),
  metadata = CASE WHEN CAST(@metadata AS TEXT) = '' THEN metadata ELSE CAST(@metadata AS TEXT) END
WHERE id = @id AND status = 'pending' AND attempts < @max_attempts
  AND expires_at > CAST(@now AS BIGINT) AND created_at <= CAST(@latest AS BIGINT);

-- name: CountChallengeAttempt :execrows
UPDATE challenges SET
  attempts = attempts + 1, updated_at = CAST(@now AS BIGINT),
  metadata = CASE WHEN CAST(@metadata AS TEXT) = '' THEN metadata ELSE CAST(@metadata AS TEXT) END
WHERE id = @id AND status = 'pending' AND attempts < @max_attempts
  AND expires_at > CAST(@now AS BIGINT) AND created_at <= CAST(@latest AS BIGINT);

-- name: SetChallengeMetadata :execrows
UPDATE challenges SET metadata = @metadata, updated_at = CAST(@now AS BIGINT)
WHERE id = @id AND status = 'pending'
  AND expires_at > CAST(@now AS BIGINT) AND created_at <= CAST(@latest AS BIGINT);

-- name: ListChallenges :many
SELECT sqlc.embed(c), f.tail AS factor_tail, f.factor_type
FROM challenges c JOIN factors f ON f.id = c.factor_id
WHERE c.entity_id = @entity_id AND c.id > @after
  AND (CAST(@factor_id AS BIGINT) = 0 OR (c.factor_id = CAST(@factor_id AS BIGINT) AND f.tail = @factor_tail))
  AND (CAST(@status AS TEXT) = ''
    OR (c.status = CAST(@status AS TEXT)
      AND (c.status <> 'pending' OR (c.expires_at > CAST(@now AS BIGINT) AND c.created_at <= CAST(@latest AS BIGINT))))
    OR (CAST(@status AS TEXT) = 'expired' AND c.status = 'pending'
      AND (c.expires_at <= CAST(@now AS BIGINT) OR c.created_at > CAST(@latest AS BIGINT))))
ORDER BY c.id LIMIT CAST(@page_size AS BIGINT);

-- name: ListChallengesDescending :many
SELECT sqlc.embed(c), f.tail AS factor_tail, f.factor_type
FROM challenges c JOIN factors f ON f.id = c.factor_id
WHERE c.entity_id = @entity_id AND c.id < @before
  AND (CAST(@factor_id AS BIGINT) = 0 OR (c.factor_id = CAST(@factor_id AS BIGINT) AND f.tail = @factor_tail))
  AND (CAST(@status AS TEXT) = ''
    OR (c.status = CAST(@status AS TEXT)
      AND (c.status <> 'pending' OR (c.expires_at > CAST(@now AS BIGINT) AND c.created_at <= CAST(@latest AS BIGINT))))
    OR (CAST(@status AS TEXT) = 'expired' AND c.status = 'pending'
      AND (c.expires_at <= CAST(@now AS BIGINT) OR c.created_at > CAST(@latest AS BIGINT))))
ORDER BY c.id DESC LIMIT CAST(@page_size AS BIGINT);

-- name: DeleteChallengesBefore :execrows
DELETE FROM challenges WHERE id IN (
  SELECT c.id FROM challenges c WHERE c.id < @before ORDER BY c.id LIMIT CAST(@step AS BIGINT)
);

-- name: ListChallengeIDs :many
SELECT id FROM challenges
WHERE entity_id = @entity_id AND id > @after
  AND (CAST(@factor_id AS BIGINT) = 0 OR factor_id = CAST(@factor_id AS BIGINT))
ORDER BY id LIMIT CAST(@step AS BIGINT);

-- name: DeleteChallenge :exec
DELETE FROM challenges WHERE id = @id;
