package verify_test

import (
	"encoding/base32"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

// rfcSeed is the pattern that the seeds of both RFCs repeat. RFC 6238 cuts it at
// the width of the hash, as its erratum 2866 says.
func rfcSeed(size int) string {
	return base32.StdEncoding.EncodeToString([]byte(strings.Repeat("1234567890", 7)[:size]))
}

// A codeVector is a code that a standard gives for a moment.
type codeVector struct {
	name   string
	secret string
	alg    string
	digits int
	at     int64
	code   string
}

// rfc4226 is the table of appendix D. Its counters are the steps of a clock that
// shows 30 seconds for each.
func rfc4226() (all []codeVector) {
	for n, code := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		all = append(all, codeVector{fmt.Sprintf("RFC 4226, count %d", n), rfcSeed(20), "sha1", 6, int64(n) * 30, code})
	}
	return all
}

// rfc6238 is the table of appendix B.
func rfc6238() (all []codeVector) {
	for _, row := range []struct {
		at    int64
		codes [3]string
	}{
		{59, [3]string{"94287082", "46119246", "90693936"}},
		{1111111109, [3]string{"07081804", "68084774", "25091201"}},
		{1111111111, [3]string{"14050471", "67062674", "99943326"}},
		{1234567890, [3]string{"89005924", "91819424", "93441116"}},
		{2000000000, [3]string{"69279037", "90698825", "38618901"}},
		{20000000000, [3]string{"65353130", "77737706", "47863826"}},
	} {
		for i, alg := range []string{"sha1", "sha256", "sha512"} {
			size := []int{20, 32, 64}[i]
			all = append(all, codeVector{fmt.Sprintf("RFC 6238, %s at %d", alg, row.at), rfcSeed(size), alg, 8, row.at, row.codes[i]})
		}
	}
	return all
}

// derived are codes that follow from the tables and catch usual slips: digits cut
// from the wrong end, leading zeros dropped, seeds padded to the width of the hash.
func derived() (all []codeVector) {
	for _, v := range rfc6238() {
		for _, digits := range []int{3, 4, 5, 6, 7} {
			cut := v
			cut.name, cut.digits, cut.code = fmt.Sprintf("%s, %d digits", v.name, digits), digits, v.code[8-digits:]
			all = append(all, cut)
		}
	}
	for alg, codes := range map[string][]string{
		"sha256": {"32247374", "34756375", "74584430", "42829826", "78428693", "24142410"},
		"sha512": {"69342147", "63049338", "54380122", "76671578", "56464532", "69481994"},
	} {
		for i, code := range codes {
			at := rfc6238()[3*i].at
			all = append(all, codeVector{fmt.Sprintf("%s with 20 bytes at %d", alg, at), rfcSeed(20), alg, 8, at, code})
		}
	}
	for count, code := range map[int64]string{25193: "000039", 26383: "000066", 42496: "000021", 65371: "000010", 100410: "000029"} {
		all = append(all, codeVector{fmt.Sprintf("leading zeros, count %d", count), rfcSeed(20), "sha1", 6, count * 30, code})
	}
	return all
}

// TestVectors (TOTP-1) shows every code to every door of the public API: as the
// enrolment's code, and as that of a verified factor.
func TestVectors(t *testing.T) {
	t.Parallel()
	tables := []struct {
		name    string
		vectors []codeVector
		want    int
	}{{"RFC4226", rfc4226(), 10}, {"RFC6238", rfc6238(), 18}, {"derived", derived(), 107}}
	for _, table := range tables {
		t.Run(table.name, func(t *testing.T) {
			t.Parallel()
			if len(table.vectors) != table.want {
				t.Errorf("%d vectors, want %d", len(table.vectors), table.want)
			}
			s := enginetest.NewScene(t, verifytest.NewEngine(t, enginetest.Unlimited))
			for i, v := range table.vectors {
				checkVector(t, s.As(fmt.Sprintf("user-%04d", i)), v)
			}
		})
	}
}

func checkVector(t *testing.T, s *enginetest.Scene, v codeVector) {
	t.Helper()
	params := verify.TOTPParams{Secret: v.secret, Alg: v.alg, CodeLength: v.digits, Skew: new(0), TimeStep: 30}
	s.Clock.Set(time.Unix(v.at, 0))
	enrolled := s.Enrol(params).Factor.SID
	try := func(code string) verify.Status {
		return enginetest.Must(s.VerifyFactor(t.Context(), s.Service, s.Identity, enrolled, code))(t).Status
	}
	if v.digits >= 6 { // a miss locks a shorter one
		other := []byte(v.code)
		other[v.digits-1] ^= 1
		if got := try(string(other)); got != verify.Unverified {
			t.Errorf("%s: the code %s enrols too", v.name, other)
		}
	}
	if got := try(v.code); got != verify.Verified {
		t.Errorf("%s: the code %s does not enrol", v.name, v.code)
	}
	if v.at < 600 {
		return // there is no earlier code to enrol with
	}
	for _, d := range enginetest.Doors() {
		s := s.As(s.Identity + d.Name)
		s.Clock.Set(time.Unix(v.at-600, 0))
		a := s.Verified(params)
		s.Clock.Set(time.Unix(v.at, 0))
		if !d.Decide(a, v.code) {
			t.Errorf("%s, %s: the code %s is refused", v.name, d.Name, v.code)
		}
	}
}

// noPadding is Base32 as authenticator apps show it.
var noPadding = base32.StdEncoding.WithPadding(base32.NoPadding)
