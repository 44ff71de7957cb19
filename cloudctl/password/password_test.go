package password

import (
	"crypto/rand"
	"strings"
	"testing"
)

func TestAHashMatchesItsPasswordOnly(t *testing.T) {
	h, err := Hash(rand.Reader, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	again, err := Hash(rand.Reader, "correct horse")
	if err != nil || again == h {
		t.Errorf("two hashes of one password are the same: %v", err)
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horsf": false, "": false, "correct horse ": false} {
		if Matches(h, password) != want {
			t.Errorf("%q: not %v", password, want)
		}
	}
	for _, bad := range []string{
		"", "correct horse", strings.Replace(h, "argon2id", "argon2i", 1), strings.Replace(h, "t=2", "t=0", 1), h[:len(h)-2],
		strings.Replace(h, "m=19456", "m=99999999", 1), "$argon2id$v=19$m=19456,t=2,p=1$$",
	} {
		if Matches(bad, "correct horse") {
			t.Errorf("%q matches", bad)
		}
	}
}

func FuzzMatches(f *testing.F) {
	h, err := Hash(rand.Reader, "correct horse")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(h, "correct horse")
	f.Add(strings.Replace(h, "m=19456", "m=8", 1), "correct horse")
	f.Add("$argon2id$v=19$m=1,t=1,p=255$AA$AA", "")
	f.Fuzz(func(t *testing.T, hash, password string) {
		if strings.Count(hash, "m=") > 0 && !strings.Contains(hash, "m=8,t=1,") && hash != h {
			return // costs too much to try
		}
		if Matches(hash, password) && (hash != h || password != "correct horse") {
			t.Errorf("%q matches %q", hash, password)
		}
	})
}
