-- Conventions. A row's id is the first 63 bits of its SID (43 bits of
-- milliseconds, 20 of sequence), so id order is creation order; tail is the
-- SID's random second half, compared wherever a SID comes from outside.
-- Times are microseconds since 1970 UTC; zero means never. Nothing is computed
-- by the database: no defaults, no triggers.

-- The keys of the embedder's keyring that something here is sealed with.
-- Sealed columns refer to this table, so that a key cannot be retired while a
-- row still needs it, nor a row be sealed with a key that has been retired.
CREATE TABLE sealing_keys (
  id          INTEGER PRIMARY KEY,
  fingerprint BLOB    NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE installation (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  account_sid TEXT    NOT NULL,
  pepper      BLOB    NOT NULL,
  pepper_key  INTEGER NOT NULL REFERENCES sealing_keys (id),
  created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE services (
  id         INTEGER PRIMARY KEY,
  tail       INTEGER NOT NULL,
  revision   INTEGER NOT NULL, -- rises with every update
  settings   TEXT    NOT NULL, -- JSON: no query asks for one of them
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER NOT NULL  -- unreachable from then on; the row goes when what it owned is gone
) STRICT;

CREATE TABLE entities (
  id                   INTEGER PRIMARY KEY,
  tail                 INTEGER NOT NULL,
  service_id           INTEGER NOT NULL REFERENCES services (id),
  identity             TEXT    NOT NULL, -- as first spelled
  identity_key         TEXT    NOT NULL, -- lower case: what is unique and looked up
  factors_window_start INTEGER NOT NULL,
  factors_window_count INTEGER NOT NULL,
  created_at           INTEGER NOT NULL,
  updated_at           INTEGER NOT NULL,
  UNIQUE (service_id, identity_key)
) STRICT;

CREATE INDEX entities_of_service ON entities (service_id);

CREATE TABLE factors (
  id               INTEGER PRIMARY KEY,
  tail             INTEGER NOT NULL,
  entity_id        INTEGER NOT NULL REFERENCES entities (id),
  revision         INTEGER NOT NULL,
  factor_type      TEXT    NOT NULL CHECK (factor_type IN ('totp', 'push', 'passkeys')),
  friendly_name    TEXT    NOT NULL,
  status           TEXT    NOT NULL CHECK (status IN ('unverified', 'verified')),
  metadata         TEXT    NOT NULL, -- JSON object, '' when never given
  totp_alg         TEXT    NOT NULL,
  totp_skew        INTEGER NOT NULL,
  totp_code_length INTEGER NOT NULL,
  totp_time_step   INTEGER NOT NULL,
  seed             BLOB    NOT NULL, -- sealed
  seed_key         INTEGER NOT NULL REFERENCES sealing_keys (id),
  seed_mac         BLOB    NOT NULL, -- keyed: recognises the same seed within an entity
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL
) STRICT;

CREATE INDEX factors_of_entity ON factors (entity_id);
CREATE INDEX factors_sealed_with ON factors (seed_key);
CREATE INDEX factors_unverified ON factors (status) WHERE status = 'unverified';

-- What moves at every approval, apart from the wide row that does not.
CREATE TABLE factor_states (
  factor_id  INTEGER PRIMARY KEY REFERENCES factors (id) ON DELETE CASCADE,
  last_step  INTEGER NOT NULL, -- the highest time step ever accepted
  failures   INTEGER NOT NULL CHECK (failures >= 0), -- wrong codes since the last right one
  hour_start INTEGER NOT NULL,
  hour_count INTEGER NOT NULL CHECK (hour_count >= 0),
  day_start  INTEGER NOT NULL,
  day_count  INTEGER NOT NULL CHECK (day_count >= 0)
) STRICT;

-- No foreign keys here: a challenge is reached only through its factor and
-- entity, so one whose factor is gone is gone too, and checking the reference
-- would make each approval about 7 % dearer.
CREATE TABLE challenges (
  id             INTEGER PRIMARY KEY,
  tail           INTEGER NOT NULL,
  entity_id      INTEGER NOT NULL,
  factor_id      INTEGER NOT NULL,
  status         TEXT    NOT NULL CHECK (status IN ('pending', 'approved', 'denied')), -- expired is decided where it is read
  attempts       INTEGER NOT NULL CHECK (attempts >= 0), -- wrong codes
  expires_at     INTEGER NOT NULL,
  responded_at   INTEGER NOT NULL,
  details        TEXT    NOT NULL, -- JSON, '' when never given
  hidden_details TEXT    NOT NULL, -- JSON object, '' when never given
  metadata       TEXT    NOT NULL, -- JSON object, '' when never given
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX challenges_of_entity ON challenges (entity_id);
