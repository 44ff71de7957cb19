package mfa

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"image/png"
	"path/filepath"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/cloudctl/vault"
)

var start = time.Unix(1_800_000_000, 0)

func device(t *testing.T) (*vault.Vault, *store.MFADevice, string) {
	t.Helper()
	v, err := vault.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := NewSeed(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &store.MFADevice{Serial: "arn:aws:iam::111122223333:mfa/ada"}
	Seal(v, d, seed)
	return v, d, seed
}

func code(t *testing.T, seed string, at time.Time) string {
	t.Helper()
	c, err := CodeAt(seed, at)
	if err != nil || len(c) != 6 {
		t.Fatal(c, err)
	}
	return c
}

// The vectors of RFC 6238, appendix B (SHA-1), cut to six digits.
func TestCodesAreThoseOfTheStandard(t *testing.T) {
	seed := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		if got := code(t, seed, time.Unix(at, 0)); got != want {
			t.Errorf("%d: %s, not %s", at, got, want)
		}
	}
}

func TestACodeIsTakenOnce(t *testing.T) {
	v, d, seed := device(t)
	take := func(code string, at time.Time, want bool) {
		t.Helper()
		got, err := Take(v, d, code, at)
		if err != nil || got != want {
			t.Errorf("%v, %v", got, err)
		}
	}
	take("000000", start, code(t, seed, start) == "000000")
	take(code(t, seed, start.Add(-90*time.Second)), start, false)
	take(code(t, seed, start.Add(90*time.Second)), start, false)
	take(code(t, seed, start), start, true)
	take(code(t, seed, start), start, false)
	take(code(t, seed, start.Add(-30*time.Second)), start, false) // older than one that was taken
	take(code(t, seed, start.Add(30*time.Second)), start, true)
	take(code(t, seed, start), start.Add(10*time.Second), false)
}

func TestADeviceWhoseClockIsOffIsLearned(t *testing.T) {
	for _, off := range []time.Duration{0, -20 * time.Second, 10 * time.Minute, -25 * time.Minute} {
		v, d, seed := device(t)
		shown := start.Add(off)
		first, second := code(t, seed, shown), code(t, seed, shown.Add(30*time.Second))
		now := start.Add(35 * time.Second)
		if ok, err := Sync(v, d, second, first, now); ok || err != nil {
			t.Errorf("%v: in the wrong order: %v, %v", off, ok, err)
		}
		if ok, err := Sync(v, d, first, second, now); !ok || err != nil {
			t.Fatalf("%v: %v, %v", off, ok, err)
		}
		if ok, _ := Sync(v, d, first, second, now); ok {
			t.Errorf("%v: the same two codes are taken twice", off)
		}
		later := now.Add(10 * time.Minute)
		if ok, err := Take(v, d, code(t, seed, later.Add(off)), later); !ok || err != nil {
			t.Errorf("%v: ten minutes later: %v, %v", off, ok, err)
		}
	}
	v, d, seed := device(t)
	if ok, _ := Sync(v, d, code(t, seed, start.Add(-time.Hour)), code(t, seed, start.Add(-time.Hour+30*time.Second)), start); ok {
		t.Error("codes an hour old are taken")
	}
}

func TestASealedSeedIsGoodForItsDeviceOnly(t *testing.T) {
	v, d, seed := device(t)
	if bytes.Contains(d.Sealed, []byte(seed)) {
		t.Error("the seed lies open")
	}
	d.Serial += "2"
	if _, err := Take(v, d, code(t, seed, start), start); err == nil {
		t.Error("the row of another device opens")
	}
}

func TestThePictureIsAPicture(t *testing.T) {
	b, err := QR("JBSWY3DPEHPK3PXP", "Karri", "ada@physics")
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil || img.Bounds().Dx() != qrSize {
		t.Error(img, err)
	}
}

func TestCodesAreNotGuessed(t *testing.T) {
	v, d, seed := device(t)
	d.Serial += "/guessed"
	Seal(v, d, seed)
	now := start
	good := func() bool {
		t.Helper()
		ok, err := Take(v, d, code(t, seed, now), now)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	guess := func(n int) {
		t.Helper()
		for range n {
			if ok, err := Take(v, d, "wrong!", now); ok || err != nil {
				t.Fatal(ok, err)
			}
		}
	}
	guess(9)
	if !good() {
		t.Error("after nine wrong codes a good one is refused")
	}
	now = now.Add(time.Minute)
	guess(10)
	if good() {
		t.Error("after ten wrong codes one is taken")
	}
	now = now.Add(5 * time.Minute)
	if !good() {
		t.Error("five minutes later a good code is refused")
	}
}
