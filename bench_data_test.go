package verify_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/totp"
)

const (
	// benchFactors are many enough that a factor's turn comes again only long
	// after its last operation.
	benchFactors    = 20_480
	benchChallenges = 20_480
	benchKey        = "verify-key-1 1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	benchPeriod     = 30
	benchFirstStep  = int64(1_767_268_800 / benchPeriod) // noon of 1 January 2026 UTC
)

// benchKeyMaterial is what benchKey spells.
func benchKeyMaterial() []byte {
	material := make([]byte, 32)
	for i := range material {
		material[i] = byte(i)
	}
	return material
}

// A benchData is what a database holds when the work begins.
type benchData struct {
	factors    int // verified, each of an entity of its own
	challenges int // answered ones, dealt out over the factors
}

// A benchSystem can do all the work that is compared. Each method makes ready
// for n operations and returns them.
type benchSystem interface {
	approvals(b *testing.B, n int) func(i int) error  // of a challenge created with its code
	enrolments(b *testing.B, n int) func(i int) error // their verification, that is
	factors(b *testing.B, n int) func(i int) error    // got by SID
	lists(b *testing.B, n int) func(i int) error      // of an entity's 20 newest challenges
}

// benchDetails take some 160 bytes as JSON.
func benchDetails() verify.Details {
	return verify.Details{
		Message: "Do you want to transfer 1,250.00 EUR to the account 4711?",
		Fields:  []verify.Field{{Label: "Amount", Value: "1,250.00 EUR"}, {Label: "To", Value: "....4711"}},
	}
}

func benchDetailsText() string {
	text, err := json.Marshal(benchDetails())
	if err != nil {
		panic(err)
	}
	return string(text)
}

func benchIdentity(i int) string { return fmt.Sprintf("user-%08d", i) }

func benchTOTP() totp.Config {
	return totp.Config{Alg: totp.SHA1, Digits: 6, Period: benchPeriod, Skew: 1}
}

// benchSeed is the secret of factor i: 20 bytes, the same in every system.
func benchSeed(i int) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("seed of factor "), uint64(i)))
	return sum[:20]
}

func benchTime(step int64) time.Time { return time.Unix(step*benchPeriod, 0) }

// A benchGuess is a right code of a factor.
type benchGuess struct {
	factor int
	step   int64
	code   string
}

// A benchTurn deals out the factors over and over in one arbitrary order, each
// time with the code of one step later.
type benchTurn struct {
	order []int
	done  int
	read  int
}

func newBenchTurn(factors int) *benchTurn {
	return &benchTurn{order: rand.New(rand.NewPCG(1, 2)).Perm(factors)}
}

func (t *benchTurn) next(b *testing.B, n int) []benchGuess {
	b.Helper()
	guesses := make([]benchGuess, n)
	for i := range guesses {
		g := benchGuess{factor: t.order[t.done%len(t.order)], step: benchFirstStep + int64(t.done/len(t.order))}
		g.code = benchCode(b, g.factor, g.step)
		guesses[i] = g
		t.done++
	}
	return guesses
}

func benchCode(b *testing.B, factor int, step int64) string {
	b.Helper()
	code, err := benchTOTP().Code(benchSeed(factor), step)
	if err != nil {
		b.Fatal(err)
	}
	return code
}

// benchPath is a new file's.
func benchPath(b *testing.B) string {
	b.Helper()
	return filepath.Join(b.TempDir(), "bench.db")
}

// A benchPragmas connector runs statements on every new connection, as hand-written
// code must do too that does not trust a DSN.
type benchPragmas struct {
	driver.Connector
	pragmas []string
}

func (c benchPragmas) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, pragma := range c.pragmas {
		if _, err := conn.(driver.ExecerContext).ExecContext(ctx, pragma, nil); err != nil {
			return nil, err
		}
	}
	return conn, nil
}

// benchFill runs row for each of n, many in a transaction.
func benchFill(b *testing.B, conn *sql.Conn, n int, row func(i int) error) {
	b.Helper()
	const together = 20_000
	exec := func(text string) {
		b.Helper()
		if _, err := conn.ExecContext(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
	for i := range n {
		if i%together == 0 {
			exec("BEGIN IMMEDIATE")
		}
		if err := row(i); err != nil {
			b.Fatal(err)
		}
		if i%together == together-1 || i == n-1 {
			exec("COMMIT")
		}
	}
}

// benchAll runs f for 0 to n-1, many at a time.
func benchAll(b *testing.B, n int, f func(i int) error) {
	b.Helper()
	const together = 64
	var wg sync.WaitGroup
	errs := make([]error, together)
	for c := range together {
		wg.Go(func() {
			for i := c; i < n && errs[c] == nil; i += together {
				errs[c] = f(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			b.Fatal(err)
		}
	}
}

func benchClose(b *testing.B, c interface{ Close() error }) {
	b.Helper()
	if err := c.Close(); err != nil {
		b.Error(err)
	}
}

// some deals out n factors without using up their steps.
func (t *benchTurn) some(n int) []int {
	some := make([]int, n)
	for i := range some {
		some[i] = t.order[t.read%len(t.order)]
		t.read++
	}
	return some
}

// benchFull is an error if a list of 20 is not full.
func benchFull(n int, err error) error {
	if err == nil && n != 20 {
		err = fmt.Errorf("%d challenges, want 20", n)
	}
	return err
}

// benchRandom is fast, and the same in every run.
func benchRandom() io.Reader { return rand.NewChaCha8([32]byte{'b', 'e', 'n', 'c', 'h'}) }
