package verify

import "strings"

// Details are what the person who answers a challenge is shown.
type Details struct {
	Message string  `json:"message,omitempty"` // at most 256 characters; may have several lines
	Fields  []Field `json:"fields,omitempty"`  // at most 20
}

// A Field is one line of Details.
type Field struct {
	Label string `json:"label"` // 1 to 36 characters
	Value string `json:"value"` // 1 to 128 characters
}

// encode checks the details and returns their stored form, empty if there is
// nothing to show.
func (d Details) encode() (string, error) {
	if d.Message == "" && len(d.Fields) == 0 {
		return "", nil
	}
	message := strings.ReplaceAll(d.Message, "\n", " ") // the one control character allowed
	if err := checkText(CodeInvalidRequest, "Details.Message", message, 256); err != nil {
		return "", err
	}
	if len(d.Fields) > 20 {
		return "", invalid(CodeInvalidRequest, "Details.Fields", "more than 20")
	}
	for _, f := range d.Fields {
		for _, part := range []struct {
			name, text string
			limit      int
		}{{"label", f.Label, 36}, {"value", f.Value, 128}} {
			if part.text == "" {
				return "", invalid(CodeInvalidRequest, "Details.Fields", "empty %s", part.name)
			}
			if err := checkText(CodeInvalidRequest, "Details.Fields", part.text, part.limit); err != nil {
				return "", err
			}
		}
	}
	return encodeJSON(d)
}
