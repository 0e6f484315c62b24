package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

const inMemory = ":memory:"

// keyPath is where the keys are.
func (o options) keyPath() string {
	if o.keyFile != "" {
		return o.keyFile
	}
	return o.db + ".key"
}

// An account is what clients authenticate with.
type account struct {
	SID   string `json:"account_sid"`
	Token string `json:"auth_token"`
}

// credentials are those of the command line, else those kept beside the database,
// else new ones, which are kept there and printed. With a database in memory
// there is nothing to keep them beside.
func (o options) credentials() (a account, err error) {
	if (o.account == "") != (o.token == "") {
		return a, errors.New("-account and -token go together")
	}
	if o.account != "" {
		return account{o.account, o.token}, nil
	}
	path := o.db + ".account"
	if o.db != inMemory {
		text, err := os.ReadFile(path)
		if err == nil {
			return a, json.Unmarshal(text, &a)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return a, err
		}
	}
	a = account{SID: "AC" + randomHex(), Token: randomHex()}
	if o.db != inMemory {
		text, err := json.Marshal(a)
		if err != nil {
			return a, err
		}
		if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
			return a, err
		}
	}
	fmt.Fprintf(o.out, "account %s\ntoken %s\n", a.SID, a.Token)
	return a, nil
}

func randomHex() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}
