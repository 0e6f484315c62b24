package verifyhttp_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/seed4eca3270/verify"
)

func TestNumbersHaveOneSpelling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entity := w.entity(w.service(), ann)
	w.enrol(entity, "Config.TimeStep", "60", "Config.CodeLength", "8", "Config.Skew", "0").created.
		is("config.time_step", 60).is("config.code_length", 8).is("config.skew", 0)
	for _, bad := range []string{
		"", "+30", "030", "30.0", "3e1", " 30", "30 ", "0x1e", "-0", "-30", "3_0", "٣٠", "３０", "99999999999999999999", "NaN", "true", "30\n",
		"0", "19", "61", // out of range
	} {
		if a := w.post(entity+"/Factors", "FriendlyName", "x", "FactorType", "totp", "Config.TimeStep", bad); !a.got(400, 60306) {
			t.Errorf("%q: got %d %s", bad, a.status, a.body)
		}
	}
	if got := len(w.get(entity + "/Factors").value("factors").([]any)); got != 1 {
		t.Errorf("%d factors, want the one", got)
	}
}

// Zero is out of every range but that of Skew, and no way to say "the default".
func TestZeroIsNoDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service := w.service()
	a := w.enrol(w.entity(service, ann))
	before := w.get(service).bytes()
	for _, key := range []string{"CodeLength", "Totp.TimeStep", "Totp.CodeLength"} {
		if a := w.post("/v2/Services", "FriendlyName", "Acme", key, "0"); !a.got(400, 60200) {
			t.Errorf("creating with %s=0: got %d %s", key, a.status, a.body)
		}
		if a := w.post(service, key, "0"); !a.got(400, 60200) {
			t.Errorf("updating %s=0: got %d %s", key, a.status, a.body)
		}
	}
	for _, key := range []string{"Config.TimeStep", "Config.CodeLength"} {
		if got := w.post(a.entity+"/Factors", "FriendlyName", "x", "FactorType", "totp", key, "0"); !got.got(400, 60306) {
			t.Errorf("creating with %s=0: got %d %s", key, got.status, got.body)
		}
		if got := w.post(a.factor, key, "0"); !got.got(400, 60306) {
			t.Errorf("updating %s=0: got %d %s", key, got.status, got.body)
		}
	}
	if after := w.get(service).bytes(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	w.post(service, "Totp.Skew", "0").want(200, 0).is("totp.skew", 0)
}

// What is wrong with a service has code 60200, whoever finds out.
func TestServiceParametersHaveTheirOwnCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service := w.service()
	for _, bad := range [][]string{
		{"CodeLength", "3"}, {"CodeLength", "x"}, {"CodeLength", "06"}, {"LookupEnabled", "1"}, {"Totp.Skew", "3"}, {"Totp.Skew", "one"}, {"TtsName", strings.Repeat("x", 65)},
	} {
		if a := w.post("/v2/Services", append(bad, "FriendlyName", "Acme")...); !a.got(400, 60200) {
			t.Errorf("creating with %v: got %d %s", bad, a.status, a.body)
		}
		if a := w.post(service, bad...); !a.got(400, 60200) {
			t.Errorf("updating %v: got %d %s", bad, a.status, a.body)
		}
	}
}

func TestBooleans(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for text, want := range map[string]bool{"true": true, "false": false, "TRUE": true, "False": false} {
		w.post("/v2/Services", "FriendlyName", "Acme", "CustomCodeEnabled", text).want(201, 0).is("custom_code_enabled", want)
	}
	for _, bad := range []string{"", "1", "0", "yes", "on", "t", "true ", "truе", "null", "ſalse"} {
		if a := w.post("/v2/Services", "FriendlyName", "Acme", "CustomCodeEnabled", bad); a.status != 400 {
			t.Errorf("%q: got %d %s", bad, a.status, a.body)
		}
	}
	service := w.post("/v2/Services", "FriendlyName", "Acme", "CustomCodeEnabled", "true").text("url")
	service = strings.TrimPrefix(service, origin)
	w.post(service, "CodeLength", "8").want(200, 0).is("custom_code_enabled", true) // what is not said stays
	w.post(service, "CustomCodeEnabled", "false").want(200, 0).is("custom_code_enabled", false)
}

// The clock stands at noon of 1 January 2026.
func TestDates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.verified(w.entity(w.service(), ann))
	for text, want := range map[string]string{
		"2026-01-01T12:10:00Z":          "2026-01-01T12:10:00Z",
		"2026-01-01T07:10:00-05:00":     "2026-01-01T12:10:00Z",
		"2026-01-01T17:40:00+05:30":     "2026-01-01T12:10:00Z",
		"2026-01-02T02:10:00+14:00":     "2026-01-01T12:10:00Z",
		"2026-01-01T12:10:00.999Z":      "2026-01-01T12:10:00Z", // whole seconds
		"2026-01-01T12:10:00.99999999Z": "2026-01-01T12:10:00Z",
		"2026-01-01T13:05:00Z":          "2026-01-01T13:05:00Z", // 60 minutes from now, after 5 of waiting
	} {
		w.post(a.entity+"/Challenges", "FactorSid", a.sid, "ExpirationDate", text).want(201, 0).is("expiration_date", want)
	}
	for _, bad := range []string{
		"", "now", "0", "1767269400", "2026-01-01", "2026-01-01 12:10:00Z", "2026-01-01T12:10:00", "2026-01-01T12:10Z", "2026-13-01T12:10:00Z",
		"Thu, 01 Jan 2026 12:10:00 GMT", "Thu, 01 Jan 2026 12:10:00 +0000", "2026-01-01T12:10:00+0500", "2026-01-01T12:10:00 05:00", "2026-02-30T12:10:00Z",
		"2026-01-01T12:04:59Z", "2026-01-01T12:05:00Z", "2026-01-01T13:05:01Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", // past, now, too far
		"0001-01-01T00:00:00Z", "0001-01-01T05:00:00+05:00", // Go's zero time, which says "none" elsewhere
	} {
		if got := w.post(a.entity+"/Challenges", "FactorSid", a.sid, "ExpirationDate", bad); !got.got(400, 60306) {
			t.Errorf("%q: got %d %s", bad, got.status, got.body)
		}
	}
	w.send(w.request("POST", a.entity+"/Challenges", "FactorSid="+a.sid+"&ExpirationDate=2026-01-01T12:10:00+00:00")).want(400, 60306) // a space
}

func TestObjects(t *testing.T) {
	t.Parallel()
	w := worldOver(t, unlimited(t))
	a := w.verified(w.entity(w.service(), ann))
	create := func(key, value string) answer {
		return w.post(a.entity+"/Challenges", "FactorSid", a.sid, key, value)
	}
	for _, text := range []string{`{"ip":"1.2.3.4"}`, `"{\"ip\":\"1.2.3.4\"}"`, " {\n\"ip\" : \"1.2.3.4\"} ", `{"\u0069p":"1.2.3.4"}`} {
		create("HiddenDetails", text).want(201, 0).is("hidden_details.ip", "1.2.3.4")
	}
	create("HiddenDetails", "{}").want(201, 0)
	a.challenge().want(201, 0).is("hidden_details", nil)
	for _, bad := range []string{
		"", " ", "ip", `{`, `{"ip":1}`, `{"ip":true}`, `{"ip":{}}`, `{"ip":["1"]}`, `["ip"]`, `"ip"`, `1`, `true`, `{"ip":"1"}x`, `{"ip":"1"}{"ip":"1"}`, `{'ip':'1'}`,
		`"\"{\\\"ip\\\":\\\"1\\\"}\""`, // three times
		`{"ip":"1",}`, strings.Repeat(`{"a":`, 4000), `{"ip":"` + strings.Repeat("x", 1024) + `"}`,
	} {
		if got := create("HiddenDetails", bad); !got.got(400, 60306) {
			t.Errorf("%.50q: got %d %s", bad, got.status, got.body)
		}
	}
	deep := "FactorSid=" + a.sid + "&HiddenDetails=" + strings.Repeat("[", 60000)
	w.send(w.request("POST", a.entity+"/Challenges", deep)).want(400, 60306)

	got := w.send(w.request("POST", a.entity+"/Challenges", "FactorSid="+a.sid+"&Details.Message=Hi&Details.Fields="+
		url.QueryEscape(`{"label":"Action","value":"Sign in"}`)+"&Details.Fields="+url.QueryEscape(`"{\"label\":\"Where\",\"value\":\"Here\"}"`)))
	got.want(201, 0).is("details.message", "Hi").is("details.fields.0.label", "Action").is("details.fields.1.value", "Here").is("details.fields.2", nil)
	for _, bad := range []string{"", "null", "[]", `"x"`, `{"label":"x"}`, `{"label":1,"value":"x"}`, `[{"label":"a","value":"b"}]`} {
		if got := create("Details.Fields", bad); !got.got(400, 60306) {
			t.Errorf("Details.Fields %q: got %d %s", bad, got.status, got.body)
		}
	}
	var many []string
	for range 21 {
		many = append(many, "Details.Fields="+url.QueryEscape(`{"label":"a","value":"b"}`))
	}
	w.send(w.request("POST", a.entity+"/Challenges", "FactorSid="+a.sid+"&"+strings.Join(many, "&"))).want(400, 60306)
	w.send(w.request("POST", a.entity+"/Challenges", "FactorSid="+a.sid+"&"+strings.Join(many[1:], "&"))).want(201, 0)

	// What the device says when it answers goes the same way.
	sid := a.challenge().text("sid")
	w.post(a.entity+"/Challenges/"+sid, "Metadata", `"{\"os\":\"Go\"}"`).want(200, 0).is("metadata.os", "Go").is("status", string(verify.Pending))
	w.post(a.entity+"/Challenges/"+sid, "Metadata", `{"os":1}`).want(400, 60306)
}
