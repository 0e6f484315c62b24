package verify_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
	"github.com/seed4eca3270/verify/verifytest"
)

// TestOathtoolCodes has codes made by another implementation, OATH Toolkit's, for
// random secrets, hashes, lengths, steps and times. It needs the program oathtool,
// so it runs only when VERIFY_OATHTOOL is 1; then the program must be there.
func TestOathtoolCodes(t *testing.T) {
	t.Parallel()
	if os.Getenv("VERIFY_OATHTOOL") != "1" {
		t.Skip("set VERIFY_OATHTOOL=1 to compare codes with oathtool, of the Debian package of that name")
	}
	tool, err := exec.LookPath("oathtool")
	if err != nil {
		t.Fatal(err)
	}
	secrets := 1000
	if raceEnabled {
		secrets = 100
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	e := verifytest.NewEngine(t, enginetest.Unlimited)
	s := enginetest.NewScene(t, e)
	for i := range secrets {
		s := s.As(fmt.Sprintf("user-%06d", i))
		alg, digits, step := []string{"sha1", "sha256", "sha512"}[r.IntN(3)], 6+r.IntN(3), 20+r.IntN(41)
		key := make([]byte, 16+r.IntN(49))
		for i := range key {
			key[i] = byte(r.Uint32())
		}
		at := r.Int64N(1 << 40) // past every 32-bit limit, to the year 36812
		if at < 1<<39 {
			at %= 1 << 33
		}
		s.Clock.Set(time.Unix(at, 0))
		enrolled := s.Enrol(verify.TOTPParams{Secret: noPadding.EncodeToString(key), Alg: alg, CodeLength: digits, TimeStep: step, Skew: new(0)}).Factor
		out, err := exec.CommandContext(t.Context(), tool, "--totp="+alg, "-d", strconv.Itoa(digits),
			"-s", strconv.Itoa(step)+"s", "-N", "@"+strconv.FormatInt(at, 10), "-b", enrolled.Binding.Secret).Output()
		if err != nil {
			t.Fatalf("oathtool: %v", err)
		}
		code := strings.TrimSpace(string(out))
		got, err := s.VerifyFactor(t.Context(), s.Service, s.Identity, enrolled.SID, code)
		if err != nil || got.Status != verify.Verified {
			t.Fatalf("secret %d of %d bytes, %s, %d digits, %d s, at %d: oathtool says %s, the factor is %s (%v)",
				i, len(key), alg, digits, step, at, code, got.Status, err)
		}
	}
}
