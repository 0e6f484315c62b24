-- name: GetInstallation :one
SELECT * FROM installation WHERE id = 1;

-- name: InsertInstallation :execrows
-- Two processes may create the same database at once: the first one wins.
INSERT INTO installation (id, account_sid, pepper, pepper_key, created_at)
VALUES (1, @account_sid, @pepper, @pepper_key, @created_at)
ON CONFLICT (id) DO NOTHING;

-- name: ResealPepper :execrows
UPDATE installation SET pepper = @pepper, pepper_key = @pepper_key
WHERE id = 1 AND pepper_key = @old_key;

-- name: InsertSealingKey :execrows
INSERT INTO sealing_keys (id, fingerprint, created_at)
VALUES (@id, @fingerprint, @created_at)
ON CONFLICT (id) DO NOTHING;

-- name: ListSealingKeys :many
SELECT * FROM sealing_keys ORDER BY id;

-- name: RetireSealingKey :execrows
-- The foreign keys refuse this while anything is still sealed with the key.
DELETE FROM sealing_keys WHERE id = @id;
