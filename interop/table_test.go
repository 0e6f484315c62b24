package interop

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const readme = "../README.md"

// The table stands in the README between these two.
const tableBegin, tableEnd = "<!-- contract:begin -->\n", "<!-- contract:end -->"

// testTable asks the handler for each of Twilio's operations in turn, to see which
// are built, and holds the README's table against that and against what the SDKs
// have seen.
func testTable(t *testing.T, runs *record) {
	c := loadContract(t)
	if len(c.operations) != 57 {
		t.Errorf("Twilio's file has %d operations, and this project counts on 57", len(c.operations))
	}
	w := newWorld(t, runs, inProcess)
	isBuilt := make(map[string]bool)
	for _, o := range c.operations {
		isBuilt[o.id] = built(t, w, o)
	}
	table, faults := drawTable(c.operations, isBuilt, runs)
	for _, fault := range faults {
		t.Error(fault)
	}
	if !t.Failed() { // or the table would not be true
		compareTable(t, table)
	}
}

// drawTable has a row for each operation. It is a fault if one is built that has
// not succeeded through both SDKs, or has answered otherwise than Twilio.
func drawTable(operations []operation, built map[string]bool, runs *record) (table string, faults []string) {
	rows := []string{"| operation | request | both SDKs |", "|---|---|---|"}
	for _, o := range operations {
		state := "not built yet"
		if built[o.id] {
			state = "yes"
			for _, sdk := range []string{goSDK, nodeSDK} {
				if !runs.succeeded(o.id, sdk) {
					faults = append(faults, o.id+" is built, and "+sdk+" has not had a success of it")
				}
			}
			if runs.violated(o.id) {
				faults = append(faults, o.id+" is built, and answers otherwise than Twilio")
			}
		}
		rows = append(rows, "| "+o.id+" | `"+o.method+" "+o.path+"` | "+state+" |")
	}
	return strings.Join(rows, "\n") + "\n", faults
}

// One row is true and each of the others claims too much.
func TestTableFaults(t *testing.T) {
	t.Parallel()
	runs := newRecord()
	operations := []operation{{id: "Both"}, {id: "GoOnly"}, {id: "NodeOnly"}, {id: "Neither"}, {id: "Refused"}, {id: "Broken"}, {id: "Absent"}}
	add := func(i int, client string, status int, violated bool) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("User-Agent", client+" (linux amd64)")
		runs.add(answer{operation: &operations[i], request: r, status: status}, violated)
	}
	add(0, goSDK, 200, false)
	add(0, nodeSDK, 204, false)
	add(1, goSDK, 200, false)
	add(1, "curl/8.0", 200, false)
	add(1, "twilio-node/5.0.0", 200, false)
	add(2, nodeSDK, 200, false)
	add(4, goSDK, 404, false)
	add(4, nodeSDK, 200, false)
	add(5, goSDK, 200, true)
	add(5, nodeSDK, 200, false)
	isBuilt := make(map[string]bool)
	for _, o := range operations[:6] {
		isBuilt[o.id] = true
	}
	_, faults := drawTable(operations, isBuilt, runs)
	want := []string{
		"GoOnly is built, and " + nodeSDK + " has not had a success of it",
		"NodeOnly is built, and " + goSDK + " has not had a success of it",
		"Neither is built, and " + goSDK + " has not had a success of it",
		"Neither is built, and " + nodeSDK + " has not had a success of it",
		"Refused is built, and " + goSDK + " has not had a success of it",
		"Broken is built, and answers otherwise than Twilio",
	}
	if !slices.Equal(faults, want) {
		t.Errorf("got %q, want %q", faults, want)
	}
}

var placeholder = regexp.MustCompile(`\{[^}]+\}`)

// built sends a request for an operation, without an SDK. One that is not built
// says so in one set of words, whatever the request holds.
func built(t *testing.T, w *world, o operation) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), o.method, w.origin+placeholder.ReplaceAllString(o.path, "none"), nil)
	ok(t, err)
	r.SetBasicAuth(accountSID, authToken)
	if o.RequestBody != nil {
		kinds := sortedKeys(o.RequestBody.Value.Content)
		r.Header.Set("Content-Type", kinds[0])
	}
	response, err := w.client.Do(r)
	ok(t, err)
	defer response.Body.Close()
	var refusal struct {
		Code    int
		Message string
	}
	if response.StatusCode >= 400 {
		ok(t, json.NewDecoder(response.Body).Decode(&refusal))
	}
	// What belongs to a service answers the same of one that is not there, and a
	// path that is in no table names itself.
	absent := o.id + " is not built yet"
	switch {
	case refusal.Message == absent && response.StatusCode == http.StatusNotFound && refusal.Code == 20404:
		return false
	case strings.Contains(refusal.Message, "not built yet"),
		response.StatusCode == http.StatusMethodNotAllowed, response.StatusCode == http.StatusUnsupportedMediaType:
		t.Errorf("%s: %d with code %d (%s), want it built, or 404 with code 20404 (%s)",
			o.id, response.StatusCode, refusal.Code, refusal.Message, absent)
	}
	return true
}

func compareTable(t *testing.T, table string) {
	t.Helper()
	text, err := os.ReadFile(readme)
	ok(t, err)
	before, rest, begun := strings.Cut(string(text), tableBegin)
	old, after, ended := strings.Cut(rest, tableEnd)
	if !begun || !ended {
		path := filepath.Join(os.TempDir(), "contract-table.md")
		ok(t, os.WriteFile(path, []byte(table), 0o600))
		t.Fatalf("%s has no lines %q and %q to put the table between; it is in %s", readme, strings.TrimSpace(tableBegin), tableEnd, path)
	}
	if strings.TrimSpace(old) == strings.TrimSpace(table) {
		return
	}
	if *update {
		ok(t, os.WriteFile(readme, []byte(before+tableBegin+"\n"+table+"\n"+tableEnd+after), 0o644))
		return
	}
	oldRows := strings.Split(old, "\n")
	for row := range strings.SplitSeq(table, "\n") {
		if !slices.Contains(oldRows, row) {
			t.Errorf("missing from %s: %s", readme, row)
		}
	}
	t.Errorf("the table in %s is not what was seen; go test -update . writes it anew", readme)
}
