package interop

import (
	"flag"
	"testing"

	"github.com/seed4eca3270/verify/verifyhttp"
)

var update = flag.Bool("update", false, "write the table in README.md and the files in testdata anew")

// TestContract runs both SDKs, then draws up the table of what they have seen.
func TestContract(t *testing.T) {
	t.Parallel()
	runs := newRecord()
	// A subtest returns when its parallel subtests are done: the table comes last.
	passed := t.Run("SDKs", func(t *testing.T) {
		t.Run("GoOverSocket", func(t *testing.T) { t.Parallel(); testGo(t, runs, overSocket) })
		t.Run("GoInProcess", func(t *testing.T) { t.Parallel(); testGo(t, runs, inProcess) })
		t.Run("Node", func(t *testing.T) { t.Parallel(); testNode(t, runs) })
	})
	t.Run("Table", func(t *testing.T) {
		if !passed {
			t.Fatal("no table while the SDKs fail")
		}
		testTable(t, runs)
	})
}

// testGo is everything that is asked of twilio-go, the same whichever way it
// reaches the handler. Each test has an engine of its own.
func testGo(t *testing.T, runs *record, connect way) {
	for name, test := range map[string]func(*testing.T, *world){
		"ServiceSettings":        testServiceSettings,
		"ServiceDefaults":        testServiceDefaults,
		"ServiceLife":            testServiceLife,
		"ServiceRefusals":        testServiceRefusals,
		"EntityLife":             testEntityLife,
		"EntityRefusals":         testEntityRefusals,
		"FactorCreation":         testFactorCreation,
		"FactorLife":             testFactorLife,
		"FactorVerification":     testFactorVerification,
		"FactorRefusals":         testFactorRefusals,
		"ChallengeCreation":      testChallengeCreation,
		"ChallengeResponse":      testChallengeResponse,
		"ChallengeEnd":           testChallengeEnd,
		"ChallengeRefusals":      testChallengeRefusals,
		"ChallengeCreationLimit": testChallengeCreationLimit,
		"ChallengeFilters":       testChallengeFilters,
		"Paging":                 testPaging,
		"Credentials":            testCredentials,
		"Absence":                testAbsence,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, newWorld(t, runs, connect)) })
	}
	t.Run("EntityGuard", func(t *testing.T) {
		t.Parallel()
		testEntityGuard(t, newWorld(t, runs, connect, func(cfg *verifyhttp.Config) { cfg.EntitiesPerSecond = 2 }))
	})
}
