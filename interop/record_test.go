package interop

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// The client libraries, as they name themselves in User-Agent.
const (
	goSDK   = "twilio-go/1.31.0"
	nodeSDK = "twilio-node/6.2.0"
)

// A record is what was asked and answered in all runs.
type record struct {
	mu         sync.Mutex
	answers    map[exchange]int // how many
	violations map[string]bool  // by operation id
}

// An exchange is a kind of answer.
type exchange struct {
	operation string
	client    string // what User-Agent begins with
	status    int
}

func newRecord() *record {
	return &record{answers: make(map[exchange]int), violations: make(map[string]bool)}
}

func (r *record) add(a answer, violated bool) {
	if a.operation == nil {
		return
	}
	client, _, _ := strings.Cut(a.request.UserAgent(), " ")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[exchange{a.operation.id, client, a.status}]++
	if violated {
		r.violations[a.operation.id] = true
	}
}

// succeeded reports whether a client has had a success of an operation.
func (r *record) succeeded(operation, client string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for e := range r.answers {
		if e.operation == operation && e.client == client && e.status < 300 {
			return true
		}
	}
	return false
}

// violated reports whether any answer of an operation was not as Twilio's.
func (r *record) violated(operation string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.violations[operation]
}

// watch checks and records every answer of a handler, and passes it on. A
// violation fails the test.
func (c *contract) watch(t testing.TB, r *record, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, request)
		a := answer{
			operation: c.find(request), request: request,
			status: recorder.Code, header: recorder.Header(), body: recorder.Body.Bytes(),
		}
		violations := c.check(a)
		for _, violation := range violations {
			t.Errorf("not as Twilio answers: %s\n%s", violation, a.body)
		}
		r.add(a, len(violations) > 0)
		maps.Copy(w.Header(), recorder.Header())
		w.WriteHeader(recorder.Code)
		if _, err := w.Write(a.body); err != nil && recorder.Code != http.StatusNoContent {
			t.Errorf("passing an answer on: %v", err)
		}
	})
}
