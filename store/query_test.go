package store_test

import (
	"context"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/seed4eca3270/verify/internal/storetest"
	"github.com/seed4eca3270/verify/store"
)

// queries are the names of all generated queries.
func queries(t *testing.T) (names []string) {
	t.Helper()
	for m := range reflect.TypeFor[*store.Queries]().Methods() {
		if m.Name != "Close" && m.Name != "WithTx" { // sqlc's own
			names = append(names, m.Name)
		}
	}
	if len(names) < 40 {
		t.Fatalf("only %d queries were found", len(names))
	}
	return names
}

var errRollback = errors.New("roll back")

var placeholder = regexp.MustCompile(`\?([0-9]+)`)

// sqlc does not parse all that it generates code for, and has lost arguments in
// silence before. So every query runs once, with zeros, and must be given as many
// arguments as its text asks for.
func TestEveryQueryRuns(t *testing.T) {
	t.Parallel()
	faults := &storetest.Faults{}
	_, db := newFile(t, faults)
	for _, name := range queries(t) {
		ran := 0
		hook := func(op storetest.Op) {
			ran++
			var asked []int
			for _, match := range placeholder.FindAllStringSubmatch(op.SQL, -1) {
				n, err := strconv.Atoi(match[1])
				if err != nil {
					t.Fatal(err)
				}
				asked = append(asked, n)
			}
			slices.Sort(asked)
			asked = slices.Compact(asked)
			if len(asked) != len(op.Args) || len(asked) > 0 && asked[len(asked)-1] != len(asked) {
				t.Errorf("%s asks for arguments %v and is given %d", name, asked, len(op.Args))
			}
		}
		var failed error
		err := db.Write(t.Context(), func(ctx context.Context, q *store.Queries) error {
			faults.Hook(hook)
			defer faults.Hook(nil)
			failed = call(q, name, ctx)
			return errRollback
		})
		if !errors.Is(err, errRollback) {
			t.Errorf("%s: the transaction ended with %v", name, err)
		}
		// Zeros name no row and own nothing: that is all that may be wrong.
		if code, ok := codeOf(failed); failed != nil && !store.NoRow(failed) && !(ok && code&0xff == constraint) {
			t.Errorf("%s: %v", name, failed)
		}
		if ran != 1 {
			t.Errorf("%s ran %d statements", name, ran)
		}
	}
}

const constraint = 19

func codeOf(err error) (code int, ok bool) {
	var coded interface{ Code() int }
	if !errors.As(err, &coded) {
		return 0, false
	}
	return coded.Code(), true
}

func method(q *store.Queries, name string) reflect.Value {
	return reflect.ValueOf(q).MethodByName(name)
}

// call runs a query with zero arguments, on the writer or on a reader.
func call(q *store.Queries, name string, ctx context.Context) error {
	m := method(q, name)
	args := []reflect.Value{reflect.ValueOf(ctx)}
	for i := 1; i < m.Type().NumIn(); i++ {
		args = append(args, reflect.Zero(m.Type().In(i)))
	}
	out := m.Call(args)
	err, _ := out[len(out)-1].Interface().(error)
	return err
}

// Readers have every query as well, and none of them can be made to write.
func TestEveryQueryIsPreparedOnReaders(t *testing.T) {
	t.Parallel()
	_, db := newFile(t, nil)
	writes := 0
	for _, name := range queries(t) {
		err := db.Read(t.Context(), func(ctx context.Context, q *store.Queries) error { return call(q, name, ctx) })
		code, ok := codeOf(err)
		switch {
		case ok && code&0xff == storetest.ReadOnly:
			writes++
		case err != nil && !errors.Is(err, store.ErrNotFound):
			t.Errorf("%s: %v", name, err)
		}
	}
	if writes == 0 {
		t.Error("no query writes: are these all?")
	}
}
