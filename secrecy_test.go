package verify_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/internal/enginetest"
)

// A spy is a run through everything, with canaries where secrets belong.
type spy struct {
	canaries
	m      *mfaFile
	log    bytes.Buffer
	values map[string]any // what the API takes and returns, by name
	errs   []error
}

func (s *spy) keep(name string, v any) { s.values[name] = v }

func (s *spy) fail(err error) {
	s.m.tb.Helper()
	if err == nil {
		s.m.tb.Error("a call that had to fail did not")
	}
	s.errs = append(s.errs, err)
}

// run uses the API as a program does, and as one does that has been told wrong.
// The engine is closed when it returns.
func (s *spy) run(t *testing.T) {
	ctx := t.Context()
	config := s.m.config()
	s.keep("Config", config)
	s.keep("Keys", config.Keys)
	s.keep("Limits", config.Limits)
	material := strings.Fields(s.m.keyLines()[0])[2]
	s.bytes("key", enginetest.Must(base64.StdEncoding.DecodeString(material))(t))
	e := s.m.open(func(c *verify.Config) {
		c.Logger = slog.New(slog.NewMultiHandler(
			slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}),
			slog.NewJSONHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		c.Limits.FactorFailures = 2
	})
	defer s.m.close(e)
	s.keep("Engine", e.Engine)

	seed := []byte("canary: seed of TOTP")
	s.bytes("seed", seed)
	scene := enginetest.NewScene(t, e)
	s.keep("Service", enginetest.Must(e.GetService(ctx, scene.Service))(t))
	params := verify.TOTPParams{Secret: noPadding.EncodeToString(seed), CodeLength: 8}
	s.keep("TOTPParams", params)
	s.keep("*TOTPParams", &params)
	s.keep("FactorParams", verify.FactorParams{FriendlyName: "ann", TOTP: &params})
	a := scene.Enrol(params)
	s.keep("Factor with Binding", a.Factor)
	s.keep("Binding", *a.Factor.Binding)
	s.keep("*Binding", a.Factor.Binding)
	for i := range 40 { // codes that are used below, and their neighbours
		s.text("code", a.At(i-5))
	}
	s.text("code", a.Wrong())

	s.keep("Factor verified", enginetest.Must(e.VerifyFactor(ctx, scene.Service, scene.Identity, a.Factor.SID, a.Shown()))(t))
	a.Wait(1)
	p := verify.ChallengeParams{FactorSID: a.Factor.SID, AuthPayload: a.Shown(), HiddenDetails: map[string]string{"a": "b"}}
	s.keep("ChallengeParams", p)
	s.keep("*ChallengeParams", &p)
	s.keep("Challenge", enginetest.Must(e.CreateChallenge(ctx, scene.Service, scene.Identity, p))(t))
	a.Wait(1)
	pending := a.Challenge()
	r := verify.ChallengeResponse{AuthPayload: a.Shown(), Metadata: map[string]string{"a": "b"}}
	s.keep("ChallengeResponse", r)
	s.keep("*ChallengeResponse", &r)
	s.keep("Challenge answered", enginetest.Must(e.RespondChallenge(ctx, scene.Service, scene.Identity, pending.SID, r))(t))
	a.Wait(1)
	s.keep("CodeCheck", enginetest.Must(e.CheckCode(ctx, scene.Service, scene.Identity, a.Shown()))(t))
	s.keep("Page[Factor]", enginetest.Must(e.ListFactors(ctx, scene.Service, scene.Identity, verify.PageParams{}))(t))
	s.keep("Page[Challenge]", enginetest.Must(e.ListChallenges(ctx, scene.Service, scene.Identity, verify.ChallengeFilter{}, verify.PageParams{}))(t))
	s.keep("Entity", enginetest.Must(e.GetEntity(ctx, scene.Service, scene.Identity))(t))
	s.keep("FactorUpdate", verify.FactorUpdate{FriendlyName: new("x")})

	s.mistakes(t, scene, a, params)
	a.Wait(1)
	for range 2 {
		enginetest.Doors()[0].Decide(a, a.Wrong()) // locks it, which is logged
	}
	s.fail(second(enginetest.Doors()[0].Try(a, a.Shown())))
	s.keep("Factor unlocked", enginetest.Must(e.UnlockFactor(ctx, scene.Service, scene.Identity, a.Factor.SID))(t))
	enginetest.Must(e.Sweep(ctx))(t)
}

// mistakes are calls that fail with a secret among their parameters.
func (s *spy) mistakes(t *testing.T, scene *enginetest.Scene, a *enginetest.App, params verify.TOTPParams) {
	ctx := t.Context()
	for _, secret := range []string{strings.ToLower(params.Secret), params.Secret + " ", params.Secret + "=", params.Secret[:20] + "1" + params.Secret[21:], params.Secret} {
		p := params
		p.Secret = secret
		s.fail(second(scene.CreateFactor(ctx, scene.Service, scene.Identity, verify.FactorParams{FriendlyName: "x", TOTP: &p})))
	}
	params.TimeStep = 99
	s.fail(second(scene.CreateFactor(ctx, scene.Service, scene.Identity, verify.FactorParams{FriendlyName: "x", TOTP: &params})))
	for _, code := range []string{a.Shown() + "0", " " + a.Shown(), a.Shown() + "x"} {
		for _, d := range enginetest.Doors() {
			s.fail(second(d.Try(a, code)))
		}
		s.fail(second(scene.CreateChallenge(ctx, scene.Service, scene.Identity, verify.ChallengeParams{FactorSID: "YF", AuthPayload: code})))
	}
	ended, cancel := context.WithDeadlineCause(ctx, time.Unix(0, 0), errors.New("late"))
	defer cancel()
	s.fail(second(scene.CheckCode(ended, scene.Service, scene.Identity, a.Shown())))
	for _, size := range []int{1, 1 << 20} {
		s.fail(second(a.Factor.Binding.QR(size)))
	}
	line := s.m.keyLines()[0]
	for _, text := range []string{line + "x", strings.ToUpper(line), line + "\n" + line, strings.TrimPrefix(line, "verify-key-1 ")} {
		s.fail(second(verify.ParseKeys(text)))
	}
}

// TestSecrecy (OBS-1, TOTP-10): no secret, no code and no key is in anything that
// is printed, marshalled, logged, answered as an error, or in the file.
func TestSecrecy(t *testing.T) {
	t.Parallel()
	s := &spy{canaries: newCanaries(), m: newMFAFile(t), values: make(map[string]any)}
	s.run(t)
	if len(s.values) < 20 || len(s.errs) < 25 || s.log.Len() < 500 {
		t.Errorf("too little was looked at: %d values, %d errors, %d bytes of log", len(s.values), len(s.errs), s.log.Len())
	}
	for name, v := range s.values {
		for _, text := range printed(v) {
			if seen := s.seen([]byte(text)); seen != nil {
				t.Errorf("%s shows %q: %.200s", name, seen, text)
			}
		}
	}
	for _, err := range s.errs {
		for _, text := range printed(err) {
			if seen := s.seen([]byte(text)); seen != nil {
				t.Errorf("an error shows %q: %.200s", seen, text)
			}
		}
	}
	if seen := s.seen(s.log.Bytes()); seen != nil {
		t.Errorf("the log shows %q: %s", seen, s.log.String())
	}
	for _, identity := range []string{"user-0001", "ann"} { // no record names a person
		if strings.Contains(s.log.String(), identity) {
			t.Errorf("the log names %s", identity)
		}
	}
	// An engine prints its name and nothing of what it holds.
	if text := fmt.Sprintf("%+v", s.values["Engine"]); len(text) > 60 {
		t.Errorf("an engine prints as %s", text)
	}
	if seen := s.seen(s.m.read()); seen != nil {
		t.Errorf("the file shows %q", seen)
	}
}

// STOR-8: a deleted factor's sealed secret is gone from the file, wherever in the
// table it was.
func TestSecrecyOfDeleted(t *testing.T) {
	t.Parallel()
	const factors = 300 // enough for a table of several pages
	for name, remove := range map[string]func(*enginetest.Scene, *enginetest.App) error{
		"DeleteFactor": func(s *enginetest.Scene, a *enginetest.App) error {
			return s.DeleteFactor(s.TB.Context(), s.Service, s.Identity, a.Factor.SID)
		},
		"DeleteEntity": func(s *enginetest.Scene, a *enginetest.App) error {
			return s.DeleteEntity(s.TB.Context(), s.Service, s.Identity)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMFAFile(t)
			e := m.open(enginetest.Unlimited)
			s := enginetest.NewScene(t, e)
			var apps []*enginetest.App
			for i := range factors {
				apps = append(apps, s.As(fmt.Sprintf("user-%05d", i)).Enrol(verify.TOTPParams{Alg: "sha512"}))
			}
			m.close(e)
			sealed := m.sealed()
			if len(sealed) != factors {
				t.Fatalf("%d sealed secrets, want %d", len(sealed), factors)
			}
			file := m.read()
			for _, blob := range sealed {
				if !bytes.Contains(file, blob[:48]) {
					t.Fatal("a sealed secret that is there is not found")
				}
			}
			e = m.open(enginetest.Unlimited)
			for i := 0; i < factors; i += 3 {
				a := apps[i].On(e)
				if err := remove(a.Scene(), a); err != nil {
					t.Fatal(err)
				}
			}
			m.close(e)
			file = m.read()
			left := m.sealed()
			for sid, blob := range sealed {
				if _, ok := left[sid]; !ok && bytes.Contains(file, blob[16:64]) {
					t.Errorf("the sealed secret of a deleted factor is still in the file")
				}
			}
			if want := factors - (factors+2)/3; len(left) != want {
				t.Errorf("%d factors are left, want %d", len(left), want)
			}
		})
	}
}

// sealed are the sealed secrets by the key of their factor. No engine may have the
// file open.
func (m *mfaFile) sealed() map[int64][]byte {
	m.tb.Helper()
	db := enginetest.Must(sql.Open("sqlite", "file:"+m.path))(m.tb)
	defer m.close(db)
	rows := enginetest.Must(db.QueryContext(m.tb.Context(), "SELECT id, seed FROM factors"))(m.tb)
	defer m.close(rows)
	sealed := make(map[int64][]byte)
	for rows.Next() {
		var id int64
		var blob []byte
		if err := rows.Scan(&id, &blob); err != nil {
			m.tb.Fatal(err)
		}
		sealed[id] = blob
	}
	if err := rows.Err(); err != nil {
		m.tb.Fatal(err)
	}
	return sealed
}
