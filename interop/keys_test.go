package interop

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// The file says of hardly any key that it must be there, and of many objects
// nothing but that they are objects. Twilio sends null rather than drop a key, and
// the file's own examples show what is in the objects, so: an answer has all the
// keys of its schema and no others, and an object without a schema looks like one
// of the examples.

// optionalKeys may be there or not.
var optionalKeys = map[string]string{
	"date": "of a challenge's details: there only if the service has Push.IncludeDate",
}

// freeObjects hold what a caller put there: texts under names of its own.
var freeObjects = []string{"metadata", "hidden_details"}

// checkKeys holds the keys of a success against schema and examples.
func (c *contract) checkKeys(a answer) []string {
	response := a.operation.Responses.Status(a.status)
	if response == nil || len(response.Value.Content) == 0 {
		return nil
	}
	schema := response.Value.Content["application/json"].Schema.Value
	var body any
	if err := json.Unmarshal(a.body, &body); err != nil {
		return []string{"/: " + err.Error()}
	}
	var found []string
	compareSchema(schema, body, c.examples[schema], "", func(at, what string) { found = append(found, at+": "+what) })
	return found
}

// compareSchema walks a value along its schema, and the examples beside it.
func compareSchema(schema *openapi3.Schema, value any, examples []any, at string, report func(at, what string)) {
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			if schema.Items != nil {
				compareSchema(schema.Items.Value, item, itemsOf(examples), fmt.Sprintf("%s/%d", at, i), report)
			}
		}
	case map[string]any:
		if len(schema.Properties) == 0 {
			compareExamples(v, examples, at, report)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(schema.Properties)) {
			inner, ok := v[key]
			if !ok {
				report(at+"/"+key, "missing: Twilio would send null")
				continue
			}
			if slices.Contains(freeObjects, key) {
				checkFree(inner, at+"/"+key, report)
				continue
			}
			compareSchema(schema.Properties[key].Value, inner, membersOf(examples, key), at+"/"+key, report)
		}
		for _, key := range sortedKeys(v) {
			if schema.Properties[key] == nil {
				report(at+"/"+key, "Twilio has no such key here")
			}
		}
	}
}

// compareExamples holds a value that has no schema against the examples.
func compareExamples(value any, examples []any, at string, report func(at, what string)) {
	switch v := value.(type) {
	case nil:
	case []any:
		for i, item := range v {
			compareExamples(item, itemsOf(examples), fmt.Sprintf("%s/%d", at, i), report)
		}
	case map[string]any:
		var alike []any
		var shown [][]string
		for _, example := range examples {
			if e, ok := example.(map[string]any); ok {
				keys := requiredKeys(e)
				shown = append(shown, keys)
				if slices.Equal(keys, requiredKeys(v)) {
					alike = append(alike, e)
				}
			}
		}
		if alike == nil {
			report(at, fmt.Sprintf("keys are %v, none of Twilio's examples has them: %v", sortedKeys(v), shown))
			return
		}
		for _, key := range sortedKeys(v) {
			compareExamples(v[key], membersOf(alike, key), at+"/"+key, report)
		}
	default:
		kinds := make(map[string]bool)
		for _, example := range examples {
			if example != nil {
				kinds[fmt.Sprintf("%T", example)] = true
			}
		}
		if kind := fmt.Sprintf("%T", v); len(kinds) > 0 && !kinds[kind] {
			report(at, fmt.Sprintf("a %s, in Twilio's examples it is %v", kind, sortedKeys(kinds)))
		}
	}
}

// checkFree: an object of texts, or null.
func checkFree(value any, at string, report func(at, what string)) {
	texts, ok := value.(map[string]any)
	if value != nil && !ok {
		report(at, "neither an object nor null")
	}
	for key, text := range texts {
		if _, ok := text.(string); !ok {
			report(at+"/"+key, "not a text")
		}
	}
}

func itemsOf(examples []any) (items []any) {
	for _, example := range examples {
		if list, ok := example.([]any); ok {
			items = append(items, list...)
		}
	}
	return items
}

func membersOf(examples []any, key string) (members []any) {
	for _, example := range examples {
		if e, ok := example.(map[string]any); ok {
			members = append(members, e[key])
		}
	}
	return members
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func requiredKeys(m map[string]any) []string {
	return slices.DeleteFunc(sortedKeys(m), func(key string) bool { return optionalKeys[key] != "" })
}
