package storetest

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// jobVariable makes TestHelperProcess of a test binary play a part.
const jobVariable = "STORETEST_JOB"

// A Job is a part that the test binary plays as a process of its own. args are
// those of Start.
type Job func(p *Parent, args []string) error

// Help plays the part that this process was started for, if it was. Every package
// that calls Start calls it from a test named TestHelperProcess.
func Help(tb testing.TB, jobs map[string]Job) {
	text := os.Getenv(jobVariable)
	if text == "" {
		return // an ordinary run of the tests: there is nobody to help
	}
	var call []string
	if err := json.Unmarshal([]byte(text), &call); err != nil {
		tb.Fatal(err)
	}
	job := jobs[call[0]]
	if job == nil {
		tb.Fatalf("no job %q", call[0])
	}
	pipe := os.NewFile(3, "pipe")
	if err := job(&Parent{json.NewDecoder(os.Stdin), json.NewEncoder(pipe)}, call[1:]); err != nil {
		tb.Fatalf("job %q: %v", call, err)
	}
}

// A Parent is the test, as a job sees it.
type Parent struct {
	in  *json.Decoder
	out *json.Encoder
}

// Receive waits for what the test says next; io.EOF is its goodbye.
func (p *Parent) Receive(v any) error { return p.in.Decode(v) }

// Send tells the test something, in one write to a pipe: what it has returned
// from is with the test even if this process is killed at once.
func (p *Parent) Send(v any) error { return p.out.Encode(v) }

// A Child is a second process, the same binary in another role.
type Child struct {
	tb  testing.TB
	cmd *exec.Cmd
	in  io.WriteCloser
	out *os.File
	enc *json.Encoder
	dec *json.Decoder
}

// Start starts a process that does the job. It is killed when the test ends, if
// it has not ended before.
func Start(tb testing.TB, job string, args ...string) *Child {
	tb.Helper()
	text, err := json.Marshal(append([]string{job}, args...))
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(tb.Context(), os.Args[0], "-test.run=^TestHelperProcess$", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
	cmd.Stdout, cmd.Stderr = tb.Output(), tb.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, theirs, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{theirs}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		out.Close()
	})
	return &Child{tb: tb, cmd: cmd, in: in, out: out, enc: json.NewEncoder(in), dec: json.NewDecoder(out)}
}

// Send tells the child something.
func (c *Child) Send(v any) {
	c.tb.Helper()
	if err := c.enc.Encode(v); err != nil {
		c.tb.Fatalf("child does not listen: %v", err)
	}
}

// Receive waits for what the child says next. It fails with io.EOF if the child
// has ended.
func (c *Child) Receive(v any) error { return c.dec.Decode(v) }

// Expect is Receive for a child that must answer.
func (c *Child) Expect(v any) {
	c.tb.Helper()
	if err := c.Receive(v); err != nil {
		c.tb.Fatalf("child does not answer: %v", err)
	}
}

// End says goodbye and waits until the child is gone. It fails if the job did.
func (c *Child) End() {
	c.tb.Helper()
	c.in.Close()
	if err := c.cmd.Wait(); err != nil {
		c.tb.Errorf("child: %v", err)
	}
}

// Kill ends the child as kill -9 does, and waits until it is gone.
func (c *Child) Kill() error {
	if err := c.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("killing the child: %w", err)
	}
	c.cmd.Wait() // fails, of course
	return nil
}
