package local

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"karri/cloudctl/enroll"
	"karri/shared/config"
	"karri/shared/pki"
	"karri/shared/token"
)

func TestALostRootKeyIsReplacedOnTheMachineItself(t *testing.T) {
	dir := t.TempDir()
	var a, b bytes.Buffer
	for _, out := range []*bytes.Buffer{&a, &b} {
		if err := rootKey(t.Context(), config.Program{}, []string{"--state", dir}, out); err != nil {
			t.Fatal(err)
		}
	}
	var first, second struct{ Account, AccessKeyID, SecretAccessKey string }
	if json.Unmarshal(a.Bytes(), &first) != nil || json.Unmarshal(b.Bytes(), &second) != nil {
		t.Fatalf("%s %s", &a, &b)
	}
	if first.Account == "" || first.Account != second.Account || first.AccessKeyID == second.AccessKeyID || second.SecretAccessKey == "" {
		t.Errorf("first %+v, second %+v", first, second)
	}
}

func TestATokenNamesCloudctlsAddressAndAuthority(t *testing.T) {
	dir := t.TempDir()
	root, err := pki.NewRoot(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Save(dir + "/ca"); err != nil {
		t.Fatal(err)
	}
	book, err := OpenBook(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	desk := &enroll.Desk{Store: book.Store, Accounts: book, Root: root, Clock: time.Now}
	if err := desk.Open(t.Context(), "10.0.0.1:8780"); err != nil {
		t.Fatal(err)
	}
	book.Store.Close()
	var out bytes.Buffer
	if err := joinToken(t.Context(), config.Program{}, []string{"--state", dir, "--role", "walrus", "--zone", "us-east-1a"}, &out); err != nil {
		t.Fatal(err)
	}
	j, err := token.ParseJoin(out.String())
	if err != nil || j.Address != "10.0.0.1:8780" || j.Root != pki.Hash(root.Root) {
		t.Errorf("%+v, %v", j, err)
	}
	if err := joinToken(t.Context(), config.Program{}, []string{"--state", dir, "--role", "nodectl"}, &out); err == nil {
		t.Error("cloudctl lets a node in, which joins its clusterctl")
	}
}
