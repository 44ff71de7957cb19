package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// pond is a bucket with a trail in it.
type pond struct {
	key   *rsa.PrivateKey
	files map[string][]byte
	signs map[string]string
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

func sumOf(b []byte) string { sum := sha256.Sum256(b); return hex.EncodeToString(sum[:]) }

// newPond holds three digests with a file each.
func newPond(t testing.TB, key *rsa.PrivateKey) *pond {
	t.Helper()
	p := &pond{key: key, files: map[string][]byte{}, signs: map[string]string{}}
	var previous, hash, sign any
	for i := range 3 {
		file, object, end := fmt.Sprint("file", i), fmt.Sprint("digest", i), fmt.Sprintf("2026-01-02T0%d:00:00Z", i)
		p.files[file] = zip([]byte(file))
		var bucket any
		if i > 0 {
			bucket = "b"
		}
		text, err := json.Marshal(map[string]any{"digestEndTime": end, "digestS3Bucket": "b", "digestS3Object": object, "digestPublicKeyFingerprint": "k", "previousDigestS3Bucket": bucket,
			"previousDigestS3Object": previous, "previousDigestHashValue": hash, "previousDigestSignature": sign,
			"logFiles": []any{map[string]any{"s3Bucket": "b", "s3Object": file, "hashValue": sumOf([]byte(file))}}})
		if err != nil {
			t.Fatal(err)
		}
		last := "null"
		if sign != nil {
			last = sign.(string)
		}
		sum := sha256.Sum256([]byte(end + "\nb/" + object + "\n" + sumOf(text) + "\n" + last))
		raw, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		p.files[object], p.signs[object] = zip(text), hex.EncodeToString(raw)
		previous, hash, sign = object, sumOf(text), p.signs[object]
	}
	return p
}

func (p *pond) get(_ context.Context, _, key string) ([]byte, http.Header, error) {
	b, ok := p.files[key]
	if !ok {
		return nil, nil, errGone
	}
	return b, http.Header{"X-Amz-Meta-Signature": {p.signs[key]}}, nil
}

func (p *pond) verify(t testing.TB) *trailReport {
	t.Helper()
	v := &verifier{bucket: "b", get: p.get, keys: map[string]*rsa.PublicKey{"k": &p.key.PublicKey}, delivered: time.Date(2026, 1, 2, 2, 0, 9, 0, time.UTC)}
	for _, key := range slices.Sorted(maps.Keys(p.files)) {
		if strings.HasPrefix(key, "digest") {
			v.listed = append(v.listed, key)
		}
	}
	r, err := v.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestATrailThatWasChangedShows(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*pond){
		"":                                     func(*pond) {},
		"the file b/file1 was changed":         func(p *pond) { p.files["file1"] = zip([]byte("other")) },
		"the file b/file0 was changed":         func(p *pond) { p.files["file0"] = []byte("no gzip") },
		"the file b/file2 is gone":             func(p *pond) { delete(p.files, "file2") },
		"the digest b/digest1 is gone":         func(p *pond) { delete(p.files, "digest1") },
		"newer ones are gone":                  func(p *pond) { delete(p.files, "digest2"); delete(p.files, "digest1") },
		"there is none":                        func(p *pond) { clear(p.files) },
		"digest1 is no good: its signature":    func(p *pond) { p.signs["digest1"] = p.signs["digest0"] },
		"digest0 is that of b/digest2":         func(p *pond) { p.files["digest0"], p.signs["digest0"] = p.files["digest2"], p.signs["digest2"] },
		"is not the one that the next digest ": func(p *pond) { p.files["digest0"], p.signs["digest0"] = p.files["digest2"], p.signs["digest2"] },
	} {
		p := newPond(t, key)
		change(p)
		r := p.verify(t)
		if all := strings.Join(r.Problems, "; "); want == "" && (all != "" || r.Digests != 3 || r.Files != 3) || !strings.Contains(all, want) {
			t.Errorf("want %q: %+v", want, r)
		}
	}
}

// FuzzDigest reads what may stand in a bucket in place of a digest.
func FuzzDigest(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	p := newPond(f, key)
	text, _ := unpack(p.files["digest1"])
	f.Add(text, p.signs["digest1"])
	f.Add([]byte(`{"digestPublicKeyFingerprint":"k","previousDigestS3Object":"digest2"}`), "00")
	f.Add([]byte(`{}`), "")
	f.Fuzz(func(t *testing.T, text []byte, sign string) {
		p := newPond(t, key)
		genuine := bytes.Equal(zip(text), p.files["digest1"]) && strings.EqualFold(sign, p.signs["digest1"])
		p.files["digest1"], p.signs["digest1"] = zip(text), sign
		if r := p.verify(t); len(r.Problems) == 0 && !genuine {
			t.Errorf("forged: %q", text)
		}
	})
}
