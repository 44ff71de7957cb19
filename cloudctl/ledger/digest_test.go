package ledger

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/store"
)

func unpack(t *testing.T, b string) []byte {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func hashOf(b []byte) string { sum := sha256.Sum256(b); return hex.EncodeToString(sum[:]) }

// digests returns those on the shelf in order, after it has held them against
// each other, against the files and against the key.
func (x *trails) digests() (all []digest) {
	t := x.t
	t.Helper()
	keys, err := x.e.Signer.Keys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	public, err := x509.ParsePKCS1PublicKey(keys[0].Public)
	if err != nil {
		t.Fatal(err)
	}
	last, lastText, lastSign := "", []byte(nil), "null"
	for _, key := range slices.Sorted(maps.Keys(x.files)) {
		if !strings.Contains(key, "CloudTrail-Digest") {
			continue
		}
		text, sign := unpack(t, x.files[key]), x.meta[key]["Signature"]
		var d digest
		if err := json.Unmarshal(text, &d); err != nil || d.Object != key || d.Fingerprint != keys[0].ID {
			t.Fatalf("%s: %s, %v", key, text, err)
		}
		raw, _ := hex.DecodeString(sign)
		sum := sha256.Sum256([]byte(d.End + "\n" + d.Bucket + "/" + d.Object + "\n" + hashOf(text) + "\n" + lastSign))
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], raw); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if last == "" && d.PreviousObject != nil || last != "" && (d.PreviousObject == nil || *d.PreviousObject != last || *d.PreviousHash != hashOf(lastText) || *d.PreviousSignature != lastSign) {
			t.Errorf("%s does not follow from %s", key, last)
		}
		for _, f := range d.Files {
			if body, ok := x.files[f.Object]; !ok || hashOf(unpack(t, body)) != f.Hash {
				t.Errorf("%s: %s is not the file that it names", key, f.Object)
			}
		}
		last, lastText, lastSign = key, bytes.Clone(text), sign
		all = append(all, d)
	}
	return all
}

// Each file of a trail is in one digest, and each digest names the one before,
// however many of them were put twice because nobody heard that they were there.
func TestEachFileIsInOneSignedDigest(t *testing.T) {
	x := openTrails(t)
	for hour := range 4 {
		for range 6 {
			x.note(2)
			x.take()
			x.pass(5 * time.Minute)
		}
		x.pass(31 * time.Minute)
		x.lost = hour%2 == 0
		x.pass(time.Second)
		if x.lost = false; hour%2 == 0 && x.state().DigestFailure == "" {
			t.Error("a failure is not told")
		}
		x.e.Every = 0
		x.pass(time.Second)
		x.e.Every = time.Minute
	}
	named := map[string]int{}
	all := x.digests()
	for _, d := range all {
		for _, f := range d.Files {
			named[f.Object]++
		}
	}
	for key := range x.files {
		if n := named[key]; !strings.Contains(key, "Digest") && n != 1 {
			t.Errorf("%s is in %d digests", key, n)
		}
	}
	if len(all) != 4 || len(named) < 20 {
		t.Errorf("%d digests of %d files", len(all), len(named))
	}
	if now := x.state(); now.DigestDelivered == nil || now.DigestFailure != "" || now.DigestObject != "" {
		t.Errorf("%+v", now)
	}
	// An hour without events has a digest too; a trail that is stopped none.
	x.pass(2 * time.Hour)
	x.pass(time.Second)
	if now := x.digests(); len(now) != 5 || len(now[4].Files) != 0 {
		t.Errorf("%d digests", len(now))
	}
	now := x.state()
	now.Logging = false
	err := x.store.InTx(t.Context(), func(tx *store.Tx) error { return tx.Put(now) })
	x.pass(3 * time.Hour)
	x.pass(time.Second)
	if n := len(x.digests()); err != nil || n != 5 {
		t.Errorf("%d digests, %v", n, err)
	}
}
