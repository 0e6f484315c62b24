package verifyhttp_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/seed4eca3270/verify/verifytest"
)

// A door is a way to have a code of a verified factor looked at.
type door struct {
	name string
	try  func(code string) answer
}

func (a *app) doors() []door {
	return []door{
		{"create", func(code string) answer { return a.challenge(code) }},
		{"respond", func(code string) answer { return a.respond(a.challenge().want(201, 0).text("sid"), code) }},
	}
}

func approved(a answer) bool { return a.text("status") == "approved" }

// A naiveStep knows the last code that it took, as a text, and how a library
// compares codes. It stands for all of a factor's doors.
type naiveStep struct {
	*verifytest.TOTP
	secret string
	clock  *verifytest.Clock
	last   string
}

func (n *naiveStep) try(code string) bool {
	ok, err := totp.ValidateCustom(code, n.secret, n.clock.Now(), totp.ValidateOpts{Period: 30, Skew: 1, Digits: otp.DigitsSix})
	if err != nil || !ok || code == n.last {
		return false
	}
	n.last = code
	return true
}

// checkSteps tries all orders of the three codes of a window, each through doors
// that chance picks: a step is spent for good, and so are those before it
// (TOTP-2). try looks at a code of a fresh factor.
func checkSteps(t *testing.T, fresh func() (code func(step int) string, try func(code string) (string, bool))) (wrongs []string) {
	t.Helper()
	for n := range 3 * 3 * 3 * 3 {
		code, try := fresh()
		last := -2
		for k, i := 0, n; k < 4; k, i = k+1, i/3 {
			step := i%3 - 1
			by, ok := try(code(step))
			if ok != (step > last) {
				wrongf(&wrongs, "order %d, code %d by %s: step %d after %d: approved: %t", n, k, by, step, last, ok)
			}
			last = max(last, step)
		}
	}
	return wrongs
}

func TestStepsAreSpentOnce(t *testing.T) {
	t.Parallel()
	w := worldOver(t, unlimited(t))
	service := w.service()
	random := seeded(t)
	n := 0
	entity := func() string {
		n++
		return w.entity(service, fmt.Sprintf("user-%04d", n))
	}
	refusesNone(t, checkSteps(t, func() (func(int) string, func(string) (string, bool)) {
		a := w.verified(entity())
		return a.at, func(code string) (string, bool) {
			d := a.doors()[random.IntN(2)]
			return d.name, approved(d.try(code).want(map[string]int{"create": 201, "respond": 200}[d.name], 0))
		}
	}))
	refusesTwin(t, checkSteps(t, func() (func(int) string, func(string) (string, bool)) {
		a := w.enrol(entity())
		naive := &naiveStep{TOTP: a.TOTP, secret: a.created.text("binding.secret"), clock: w.engine.Clock}
		return a.at, func(code string) (string, bool) { return "naive", naive.try(code) }
	}))
}

// The code that verified a factor answers no challenge (TOTP-3).
func TestEnrolmentCodeIsSpent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service := w.service()
	for step := -1; step <= 1; step++ {
		a := w.enrol(w.entity(service, []string{ann, bob, "user-0003"}[step+1]))
		code := a.at(step)
		a.verify(code).want(200, 0).is("status", "verified")
		for _, d := range a.doors() {
			for old := -1; old <= step; old++ {
				if approved(d.try(a.at(old))) {
					t.Errorf("verified with %d: %d approves by %s", step, old, d.name)
				}
			}
		}
		a.verify(code).want(200, 0).is("status", "verified") // changes nothing and spends nothing
		a.challenge(a.at(step+1)).is("status", map[bool]string{true: "approved", false: "pending"}[step < 1])
	}
}

// spellings are other ways to write a code (TOTP-4), as a form's value.
func spellings(code string) map[string]string {
	wide, arabic := "", ""
	for _, d := range code {
		wide += string('０' + d - '0')
		arabic += string('٠' + d - '0')
	}
	all := map[string]string{}
	for name, text := range map[string]string{
		"space before": " " + code, "space behind": code + " ", "space within": code[:3] + " " + code[3:], "newline": code + "\n", "CR LF": code + "\r\n", "tab": "\t" + code,
		"no-break space": code + "\u00a0", "zero width": code + "\u200b", "BOM": "\ufeff" + code, "full width": wide, "Arabic": arabic, "plus": "+" + code,
		"plus in place of a digit": "+" + code[1:], "minus": "-" + code, "zero before": "0" + code, "too short": code[:5], "twice": code + code, "grouped": code[:3] + "_" + code[3:],
		"dash": code[:3] + "-" + code[3:], "hex": "0x" + code, "decimals": code + ".0", "quoted": `"` + code + `"`, "JSON": `["` + code + `"]`, "list": code + "," + code, "empty": "", "4 KiB": code + strings.Repeat("0", 4096),
	} {
		all[name] = url.QueryEscape(text)
	}
	all["NUL"] = code + "%00"
	all["encoded twice"] = strings.ReplaceAll(percent(code), "%", "%25")
	all["encoded three times"] = strings.ReplaceAll(percent(code), "%", "%2525")
	all["space encoded twice"] = "%2520" + code
	all["overlong"] = "%c0%b0" + code[1:]
	return all
}

// percent writes every character as an escape.
func percent(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.WriteString("%" + string("0123456789ABCDEF"[c>>4]) + string("0123456789ABCDEF"[c&15]))
	}
	return b.String()
}

// checkSpellings tries them before the code is spent and after, at every door.
func checkSpellings(w *world) (wrongs []string) {
	a := w.verified(w.entity(w.service(), ann))
	pending := w.enrol(a.entity)
	code := func(of *app) string { return of.shown() }
	for round := range 2 {
		for name, spelling := range spellings(code(a)) {
			for _, path := range []string{a.entity + "/Challenges", a.entity + "/Challenges/" + a.challenge().text("sid")} {
				got := w.send(w.request("POST", path, "FactorSid="+a.sid+"&AuthPayload="+spelling))
				if approved(got) || spelling != "" && got.status != 400 {
					wrongf(&wrongs, "round %d: %s: %s: got %d %s", round, path, name, got.status, got.body)
				}
			}
		}
		if round == 0 {
			if got := a.challenge(code(a)); !approved(got) {
				wrongf(&wrongs, "the code itself: got %d %s", got.status, got.body)
			}
		}
	}
	for name, spelling := range spellings(code(pending)) {
		if got := w.send(w.request("POST", pending.factor, "AuthPayload="+spelling)); got.status != 400 {
			wrongf(&wrongs, "enrolment: %s: got %d %s", name, got.status, got.body)
		}
	}
	// None of that was a guess: five wrong ones are still to be had.
	for range 4 {
		pending.verify(pending.wrong())
	}
	if got := pending.verify(code(pending)); got.text("status") != "verified" {
		wrongf(&wrongs, "after all: got %d %s", got.status, got.body)
	}
	return wrongs
}

// naiveSpelling is as helpful as those who type codes wish.
func naiveSpelling(next http.Handler, a http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	if code := r.PostForm.Get("AuthPayload"); code != "" {
		digits := strings.Map(func(d rune) rune {
			if d < '0' || d > '9' {
				return -1
			}
			return d
		}, code)
		r.PostForm.Set("AuthPayload", digits)
	}
	next.ServeHTTP(a, parse(r.Method, r.URL.Path, strings.NewReader(r.PostForm.Encode())))
}

func TestCodesHaveOneSpelling(t *testing.T) {
	t.Parallel()
	refusesNone(t, checkSpellings(worldOver(t, unlimited(t))))
	refusesTwin(t, checkSpellings(worldOver(t, unlimited(t)).twin(naiveSpelling)))
	// Percent signs are the form's business, once: this is the code itself.
	w := newWorld(t)
	a := w.verified(w.entity(w.service(), ann))
	w.send(w.request("POST", a.entity+"/Challenges", "FactorSid="+a.sid+"&AuthPayload="+percent(a.shown()))).want(201, 0).is("status", "approved")
}

// naiveClock believes the client about what time it is.
func naiveClock(w *world) func(next http.Handler, a http.ResponseWriter, r *http.Request) {
	return func(next http.Handler, a http.ResponseWriter, r *http.Request) {
		now := w.engine.Clock.Now()
		if at, err := http.ParseTime(r.Header.Get("Date")); err == nil {
			w.engine.Clock.Set(at)
			defer w.engine.Clock.Set(now)
		}
		next.ServeHTTP(a, r)
	}
}

// checkClock sends codes of another time, along with the time (TOTP-6).
func checkClock(w *world) (wrongs []string) {
	a := w.verified(w.entity(w.service(), ann))
	for _, off := range []time.Duration{-24 * time.Hour, -5 * time.Minute, 5 * time.Minute, 24 * time.Hour} {
		at := w.engine.Clock.Now().Add(off)
		code := a.Code(at)
		unix := at.Format(time.RFC3339)
		r := w.request("POST", a.entity+"/Challenges?time="+url.QueryEscape(unix), encode("FactorSid", a.sid, "AuthPayload", code,
			"time", unix, "Time", unix, "Timestamp", unix, "Date", unix, "DateCreated", unix, "Now", unix))
		for _, name := range []string{"Date", "X-Timestamp", "X-Date", "X-Time", "Last-Modified", "If-Modified-Since"} {
			r.Header.Set(name, at.UTC().Format(http.TimeFormat))
		}
		if got := w.send(r); got.text("status") != "pending" {
			wrongf(&wrongs, "%v off: got %d %s", off, got.status, got.body)
		}
	}
	return wrongs
}

func TestOnlyOurClockCounts(t *testing.T) {
	t.Parallel()
	refusesNone(t, checkClock(newWorld(t)))
	w := newWorld(t)
	refusesTwin(t, checkClock(w.twin(naiveClock(w))))
}
