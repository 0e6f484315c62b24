package interop

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

const contractFile = "node/node_modules/@twilio/cli-core/src/services/twilio-api/twilio_verify_v2.json"

// A contract is Twilio's description of Verify v2.
type contract struct {
	doc        *openapi3.T
	operations []operation    // in the order of the file
	mux        *http.ServeMux // finds the operation that a request is for
	byPattern  map[string]*operation
	examples   map[*openapi3.Schema][]any // answers that the file shows, by their schema
}

// An operation is a method on a path.
type operation struct {
	id, method, path string
	item             *openapi3.PathItem
	*openapi3.Operation
}

// The file is large, and nothing changes what was read from it.
var readContract = sync.OnceValues(func() (*contract, error) {
	text, err := os.ReadFile(contractFile)
	if err != nil {
		return nil, err
	}
	return parseContract(text)
})

func loadContract(t *testing.T) *contract {
	t.Helper()
	c, err := readContract()
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%v\nTwilio's packages are not installed. Run: cd interop/node && npm ci --ignore-scripts", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func parseContract(text []byte) (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	c := &contract{
		doc: doc, mux: http.NewServeMux(),
		byPattern: make(map[string]*operation), examples: make(map[*openapi3.Schema][]any),
	}
	order, err := operationOrder(text)
	if err != nil {
		return nil, err
	}
	for _, o := range order {
		item := doc.Paths.Value(o.path)
		c.operations = append(c.operations, operation{
			id: item.GetOperation(o.method).OperationID, method: o.method, path: o.path,
			item: item, Operation: item.GetOperation(o.method),
		})
	}
	for i := range c.operations {
		o := &c.operations[i]
		pattern := o.method + " " + o.path
		c.byPattern[pattern] = o
		c.mux.Handle(pattern, http.NotFoundHandler())
		c.gatherExamples(o)
	}
	return c, nil
}

// find returns the operation that a request is for, or nil.
func (c *contract) find(r *http.Request) *operation {
	_, pattern := c.mux.Handler(r)
	return c.byPattern[pattern]
}

// gatherExamples keeps the answers that the file shows for an operation.
func (c *contract) gatherExamples(o *operation) {
	for _, response := range o.Responses.Map() {
		for _, content := range response.Value.Content {
			for _, example := range content.Examples {
				schema := content.Schema.Value
				c.examples[schema] = append(c.examples[schema], example.Value.Value)
			}
		}
	}
}

// operationOrder lists methods and paths in the order of the file, which a map
// does not keep.
func operationOrder(text []byte) (order []operation, err error) {
	top, err := object(text)
	if err != nil {
		return nil, err
	}
	for _, section := range top {
		if section.key != "paths" {
			continue
		}
		paths, err := object(section.value)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			members, err := object(path.value)
			if err != nil {
				return nil, err
			}
			for _, member := range members {
				switch method := strings.ToUpper(member.key); method {
				case http.MethodGet, http.MethodPost, http.MethodDelete, http.MethodPut, http.MethodPatch:
					order = append(order, operation{method: method, path: path.key})
				}
			}
		}
	}
	return order, nil
}

type member struct {
	key   string
	value json.RawMessage
}

// object reads a JSON object's members in their order.
func object(text []byte) (members []member, err error) {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		m := member{key: key.(string)}
		if err := decoder.Decode(&m.value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}
