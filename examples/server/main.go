// Server is a stand-alone Verify v2 for programs in any language: point an
// official Twilio SDK at it.
//
//	go run ./examples/server -addr 127.0.0.1:8080 -db verify.db
//
// Without -account and -token it makes both, keeps them beside the database and
// prints them once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed4eca3270/verify"
	"github.com/seed4eca3270/verify/verifyhttp"
)

type options struct {
	addr, db, keyFile, account, token, baseURL string
	tlsCert, tlsKey                            string
	requestsPerSecond                          int
	out                                        io.Writer
}

func main() {
	o := options{out: os.Stdout}
	flag.StringVar(&o.addr, "addr", "127.0.0.1:8080", "address to listen on; port 0 takes a free one")
	flag.StringVar(&o.db, "db", "verify.db", "database file, or :memory: for tests")
	flag.StringVar(&o.keyFile, "key-file", "", "file of the keys that seal the database (default: the database's name with .key)")
	flag.StringVar(&o.account, "account", "", "account SID, AC and 32 hexadecimal digits")
	flag.StringVar(&o.token, "token", "", "auth token of the account")
	flag.StringVar(&o.baseURL, "base-url", "", "what URLs in answers begin with (default: what the request was sent to)")
	flag.StringVar(&o.tlsCert, "tls-cert", "", "certificate file; with -tls-key the server speaks HTTPS")
	flag.StringVar(&o.tlsKey, "tls-key", "", "private key file")
	flag.IntVar(&o.requestsPerSecond, "requests-per-second", 0, "limit of each credential; 0 is none")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, and then lets requests under way finish.
func run(ctx context.Context, o options) (err error) {
	account, err := o.credentials()
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	cfg := verify.Config{AccountSID: account.SID, Logger: logger}
	if o.db != inMemory {
		if cfg.Keys, err = verify.KeyFile(o.keyPath()); err != nil {
			return err
		}
	}
	engine, err := verify.Open(ctx, o.db, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	handler, err := verifyhttp.New(engine, verifyhttp.Config{
		Authenticate:      verifyhttp.BasicAuth(map[string]string{account.SID: account.Token}),
		BaseURL:           o.baseURL,
		RequestsPerSecond: o.requestsPerSecond,
		Logger:            logger,
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	swept := make(chan error, 1)
	go func() { swept <- engine.Run(ctx) }()
	served := make(chan error, 1)
	go func() { served <- o.serve(server, listener) }()
	fmt.Fprintf(o.out, "listening on %s\n", o.url(listener))

	select {
	case err = <-served: // it cannot serve
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-swept
}

func (o options) serve(server *http.Server, listener net.Listener) error {
	if o.tlsCert != "" || o.tlsKey != "" {
		return server.ServeTLS(listener, o.tlsCert, o.tlsKey)
	}
	return server.Serve(listener)
}

func (o options) url(listener net.Listener) string {
	scheme := "http"
	if o.tlsCert != "" || o.tlsKey != "" {
		scheme = "https"
	}
	return scheme + "://" + listener.Addr().String()
}
