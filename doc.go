// Package verify gives a program multi-factor authentication as Twilio Verify v2
// knows it, in-process and on one SQLite file.
//
// The smallest program that checks a user's authenticator app:
//
//	keys, err := verify.KeyFile("mfa.key")
//	engine, err := verify.Open(ctx, "mfa.db", verify.Config{Keys: keys})
//	svc, err := engine.CreateService(ctx, verify.ServiceParams{FriendlyName: "Acme"})
//	f, err := engine.CreateFactor(ctx, svc.SID, userID, verify.FactorParams{
//		FriendlyName: "ann@example.com", TOTP: &verify.TOTPParams{},
//	})
//	png, err := f.Binding.PNG(256)                               // show it once
//	f, err = engine.VerifyFactor(ctx, svc.SID, userID, f.SID, code)  // f.Status == verify.Verified
//	check, err := engine.CheckCode(ctx, svc.SID, userID, code)       // at every login: check.Approved
//
// # Concepts, in the order of use
//
// A [Service] is a set of settings; most programs have one, and keep its SID in
// their configuration. An [Entity] is a user, named by an identity that the
// program chooses. A [Factor] is an authenticator app of the user: it is enrolled
// by CreateFactor, which returns the secret once, and proven by VerifyFactor. A
// [Challenge] asks for a code of one factor; CreateChallenge and RespondChallenge
// are Twilio's way, and CheckCode is the short one, which tries all factors of
// the user. A wrong code is a result; errors mean that nothing was decided.
//
// # What holds
//
// A code succeeds once: across goroutines, engines, processes that share the
// file, crashes, restarts and clocks that jump. What a call has returned is on
// disk. Wrong codes are counted in the commit that refuses them, and a factor
// locks before guessing has a chance of one in a thousand (codes of 3 digits aside);
// [Engine.UnlockFactor] lifts the lock. Secrets are sealed with [Keys] that are not in the database.
// Callers that write at the same time share a commit, so many are cheaper than
// one.
//
// # Errors
//
// Every error is an [*Error] with one of a few classes, such as [ErrNotFound] and
// [ErrRateLimited], and Twilio's code; or the error of a context that ended.
//
// # What it refuses
//
// Databases on file systems where SQLite cannot keep a log shared between
// processes, as most network file systems are. Files without keys. Codes with spaces or other digits than ASCII's.
// Background goroutines of its own: [Engine.Run] is the caller's to start.
//
// # Compatibility
//
// Before version 1 names may change with a note in the changelog. The database
// moves forward by itself and never back; a program refuses a database that a
// newer one has migrated. Package store is not for use.
package verify
