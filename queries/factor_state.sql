-- name: InsertFactorState :exec
INSERT INTO factor_states (factor_id, last_step, failures, hour_start, hour_count, day_start, day_count)
VALUES (@factor_id, @last_step, 0, 0, 0, 0, 0);

-- name: GetFactorState :one
SELECT * FROM factor_states WHERE factor_id = @factor_id;

-- name: SpendStep :execrows
-- The one place where a code is accepted: steps only rise, not past the budget,
-- and only while the factor is what it was when the code was looked at.
UPDATE factor_states SET last_step = @step, failures = 0
WHERE factor_id = @factor_id AND last_step < @step AND failures < @max_failures
  AND EXISTS (SELECT 1 FROM factors f WHERE f.id = @factor_id AND f.revision = @revision);

-- name: CountFailure :one
UPDATE factor_states SET failures = failures + 1
WHERE factor_id = @factor_id AND failures < @max_failures
RETURNING failures;

-- name: AdmitChallenge :execrows
-- One more challenge in both windows, unless one is full or the factor locked.
-- A window opens with its first challenge and never refills early, whatever the clock does.
UPDATE factor_states SET
  hour_count = CASE WHEN hour_start + CAST(@hour AS BIGINT) <= CAST(@now AS BIGINT) THEN 1 ELSE hour_count + 1 END,
  hour_start = CASE WHEN hour_start + CAST(@hour AS BIGINT) <= CAST(@now AS BIGINT) THEN CAST(@now AS BIGINT) ELSE hour_start END,
  day_count = CASE WHEN day_start + CAST(@day AS BIGINT) <= CAST(@now AS BIGINT) THEN 1 ELSE day_count + 1 END,
  day_start = CASE WHEN day_start + CAST(@day AS BIGINT) <= CAST(@now AS BIGINT) THEN CAST(@now AS BIGINT) ELSE day_start END
WHERE factor_id = @factor_id AND failures < @max_failures
  AND (hour_start + CAST(@hour AS BIGINT) <= CAST(@now AS BIGINT) OR hour_count < CAST(@hour_max AS BIGINT))
  AND (day_start + CAST(@day AS BIGINT) <= CAST(@now AS BIGINT) OR day_count < CAST(@day_max AS BIGINT));

-- name: UnlockFactor :execrows
-- Failures and windows are forgiven. A last step ahead of the clock (left by a
-- clock that was wrong) comes down to the newest step acceptable now under any
-- skew: every code that could be accepted at this moment counts as spent.
UPDATE factor_states SET
  failures = 0, hour_start = 0, hour_count = 0, day_start = 0, day_count = 0,
  last_step = CASE WHEN last_step > CAST(@newest_step AS BIGINT) THEN CAST(@newest_step AS BIGINT) ELSE last_step END
WHERE factor_id = @factor_id
  AND EXISTS (SELECT 1 FROM factors f WHERE f.id = @factor_id AND f.revision = @revision);

-- name: RestartSteps :execrows
-- After a change of the time step, step numbers count something else. Everything
-- acceptable at this moment under the new length counts as spent, and so does all
-- the time up to the end of the last step under the old one: a change back must
-- not bring its code to life.
UPDATE factor_states SET last_step = CASE
  WHEN ((last_step + 1) * CAST(@old_length AS BIGINT) - 1) / CAST(@new_length AS BIGINT) > CAST(@newest_step AS BIGINT)
  THEN ((last_step + 1) * CAST(@old_length AS BIGINT) - 1) / CAST(@new_length AS BIGINT)
  ELSE CAST(@newest_step AS BIGINT) END
WHERE factor_id = @factor_id;
