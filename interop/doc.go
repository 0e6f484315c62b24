// Package interop holds tests alone: Twilio's own client libraries drive the
// handler of package verifyhttp, and every answer they get is held against
// Twilio's own description of Verify v2. It is a module of its own, so that the
// libraries are no dependency of verify.
//
// twilio-go runs twice, over a socket and through verifyhttp.Transport without
// one; twilio-node runs over a socket, from the tests in the folder node. The
// description is an OpenAPI file that comes with @twilio/cli-core, so before the
// first go test, and after every change of node/package-lock.json:
//
//	cd node && npm ci --ignore-scripts
//
// Of all that was answered, TestContract makes the table of operations in the
// project's README. The files in testdata are requests and answers as they are on
// the wire. After a change that was meant, write both anew:
//
//	go test -update .
//
// The README lies outside of this module, so go test may repeat an old result after
// a change of the README alone; -count=1 prevents that.
package interop
