package secret

// NewPepper returns 32 random bytes: a key that a database keeps, sealed, for its
// hashes. Unlike the keys that seal, it is never rotated, for the hashes made with
// it are looked up by value.
func NewPepper() []byte { return randomMaterial() }
