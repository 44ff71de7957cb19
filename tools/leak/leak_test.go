package leak

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func hunt(t *testing.T, secrets map[string]string, homes ...string) *Hunt {
	t.Helper()
	h := &Hunt{}
	for what, s := range secrets {
		if err := h.Add(what, []byte(s), homes...); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func TestAPlantedSecretIsFoundInEachForm(t *testing.T) {
	const secret = "s3cr3t/key+of=somebody"
	forms := map[string]string{
		"plain": secret, "hex": hex.EncodeToString([]byte(secret)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"base64": base64.StdEncoding.EncodeToString([]byte(secret)), "base64url": base64.URLEncoding.EncodeToString([]byte(secret)),
		"query": "https://x/?a=" + url.QueryEscape(secret) + "&b=c", "path": url.PathEscape(secret),
		"base64 of more": base64.StdEncoding.EncodeToString([]byte("x" + secret + "yz")), "of yet more": base64.RawURLEncoding.EncodeToString([]byte("xy" + secret + "z")),
	}
	for what, form := range forms {
		h := hunt(t, map[string]string{"the key": secret, "another": "something-else-altogether"})
		h.Text("a log", []byte("... "+form+" ..."))
		if len(h.Found()) != 1 || !strings.HasPrefix(h.Found()[0], "the key is in a log, ") {
			t.Errorf("%s: %v", what, h.Found())
		}
	}
	h := hunt(t, map[string]string{"the key": secret})
	for _, innocent := range []string{"", secret[:len(secret)-1], secret[1:], strings.ToUpper(secret), "s3cr3t"} {
		h.Text("a log", []byte(innocent))
	}
	if len(h.Found()) > 0 {
		t.Error(h.Found())
	}
	if err := h.Add("a short one", []byte("1234567")); err == nil {
		t.Error("a secret of seven letters is looked for")
	}
}

func TestPrivateKeysAreFound(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	quoted, err := json.Marshal(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for what, b := range map[string][]byte{"PEM": text, "JSON": quoted, "DER": der, "the seed": key.Seed(), "the seed in hex": []byte(hex.EncodeToString(key.Seed()))} {
		h := hunt(t, map[string]string{"the key": string(text)})
		h.Text("an answer", b)
		if len(h.Found()) != 1 {
			t.Errorf("%s: %v", what, h.Found())
		}
	}
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if der, err = x509.MarshalPKCS8PrivateKey(other); err != nil {
		t.Fatal(err)
	}
	h := hunt(t, map[string]string{"the key": string(text)})
	h.Text("another key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if len(h.Found()) > 0 {
		t.Error(h.Found())
	}
}

func TestFilesAndProcessesAreSearched(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	secret := rand.Text()
	write("walrus/pki/key.pem", secret)
	write("walrus/data/1", secret)
	write("log/walrus.log", strings.Repeat("x", 1<<20)+secret+"x")
	write("log/over.log", strings.Repeat("x", piece-5)+secret+"x") // from one piece to the next
	write("log/other.log", strings.Repeat("x", 1<<20))
	h := hunt(t, map[string]string{"the key": secret}, "*/pki/key.pem")
	if err := h.Files(dir, "walrus/data"); err != nil {
		t.Fatal(err)
	}
	if len(h.Found()) != 2 || !strings.HasPrefix(h.Found()[0], "the key is in log/over.log") || !strings.HasPrefix(h.Found()[1], "the key is in log/walrus.log") {
		t.Error(h.Found())
	}
	for _, where := range []string{"arguments", "environment"} {
		cmd := exec.Command("sh", "-c", "read x", dir)
		if cmd.Env = os.Environ(); where == "environment" {
			cmd.Env = append(cmd.Env, "KEY="+secret)
		} else {
			cmd.Args = append(cmd.Args, secret)
		}
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if other, err := (&Hunt{}).Processes(filepath.Join(dir, "nothing"), cmd.Process.Pid); err != nil || !slices.Equal(other, []string{"sh"}) {
			t.Errorf("by its id: %v %v", other, err)
		}
		h := hunt(t, map[string]string{"the key": secret})
		n, err := h.Processes(dir)
		if err != nil || !slices.Equal(n, []string{"sh"}) || len(h.Found()) != 1 || !strings.Contains(h.Found()[0], "the "+where+" of process") {
			t.Errorf("%s: %v %v %v", where, n, h.Found(), err)
		}
		in.Close()
		_ = cmd.Wait()
	}
}

func BenchmarkLook(b *testing.B) {
	h := &Hunt{}
	for range 200 {
		if err := h.Add("x", []byte(rand.Text())); err != nil {
			b.Fatal(err)
		}
	}
	text := bytes.Repeat([]byte(`{"time":"2026-11-21T10:00:00Z","level":"INFO","msg":"request","request_id":"ccd49c9d-925a-40c2-9527-6887a8316be6"}`+"\n"), 10000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		h.Text("x", text)
	}
}
