package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func sequence(from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(from + i)
	}
	return b
}

// The expected values were computed by another implementation of HKDF and
// AES-GCM, from the description in the package comment.
func TestKnownAnswers(t *testing.T) {
	k := &Key{[keySize]byte(sequence(0, 32))}
	data := make([]byte, BlockSize+100)
	for i := range data {
		data[i] = byte(i*7 + i/251)
	}
	var out bytes.Buffer
	w := k.writer(&out, sequence(32, 32))
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(out.Bytes()); out.Len() != 65700 || hex.EncodeToString(sum[:]) != "3b83eca5e44f095913e35d9f720b73ba12c4093836cf2df98001f7083069f9b8" {
		t.Errorf("piece: %d bytes, %x", out.Len(), sum)
	}
	wrapped, err := hex.DecodeString("e1d93eb7955cf8da01c20d7aa1ab3499bb73599567cd9dfb83ec46b45876e3b81cab4abd213d9d72892bf7915af89101")
	if err != nil {
		t.Fatal(err)
	}
	e := &Envelope{Mode: Master, By: "one", Salt: sequence(32, 32), Key: wrapped}
	inner, ok := e.unwrap(k.secret)
	if !ok || !bytes.Equal(inner.secret[:], sequence(64, 32)) {
		t.Error("the envelope does not open")
	}
}

// source reads from sealed bytes, and counts them.
func source(sealed []byte, read *int64) Source {
	return func(off, n int64) (io.ReadCloser, error) {
		if off < 0 || n < 0 || off+n > int64(len(sealed)) {
			return nil, fmt.Errorf("%d bytes from %d of %d", n, off, len(sealed))
		}
		if read != nil {
			*read += n
		}
		return io.NopCloser(bytes.NewReader(sealed[off : off+n])), nil
	}
}

func get(k *Key, from Source, size, off, n int64) ([]byte, error) {
	r, err := k.Open(from, size, off, n)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

func aKey() *Key { return &Key{[keySize]byte(random(32))} }

// TestRanges holds ranges of what is sealed against the plain bytes, and looks
// that they read little.
func TestRanges(t *testing.T) {
	k := aKey()
	for _, size := range []int{0, 1, 100, BlockSize - 1, BlockSize, BlockSize + 1, 2 * BlockSize, 5*BlockSize + 77} {
		data := random(size)
		sealed := k.Seal(data)
		if int64(len(sealed)) != Size(int64(size)) {
			t.Fatalf("size %d: %d sealed, not %d", size, len(sealed), Size(int64(size)))
		}
		for range 300 {
			off := rand.Int64N(int64(size) + 1)
			n := rand.Int64N(int64(size) - off + 1)
			var read int64
			got, err := get(k, source(sealed, &read), int64(size), off, n)
			if err != nil || !bytes.Equal(got, data[off:off+n]) {
				t.Fatalf("size %d, %d from %d: %d bytes, %v", size, n, off, len(got), err)
			}
			if read > n+2*sealedBlock+saltSize {
				t.Fatalf("size %d: %d bytes read for %d", size, read, n)
			}
		}
		for _, bad := range [][2]int64{{-1, 1}, {0, int64(size) + 1}, {int64(size) + 1, 0}, {0, -1}} {
			if _, err := get(k, source(sealed, nil), int64(size), bad[0], bad[1]); err == nil {
				t.Errorf("size %d: %v was given", size, bad)
			}
		}
	}
}

// TestEveryChangeIsSeen alters, swaps and cuts what is sealed.
func TestEveryChangeIsSeen(t *testing.T) {
	k := aKey()
	for _, size := range []int{0, 10, BlockSize, 2*BlockSize + 50} {
		data := random(size)
		sealed := k.Seal(data)
		check := func(what string, changed []byte, said int) {
			t.Helper()
			got, err := get(k, source(changed, nil), int64(said), 0, int64(said))
			if err == nil || !bytes.HasPrefix(data, got) {
				t.Errorf("size %d, %s: not seen (%d bytes, %v)", size, what, len(got), err)
			}
		}
		for range 500 {
			bit := rand.IntN(8 * len(sealed))
			bad := bytes.Clone(sealed)
			bad[bit/8] ^= 1 << (bit % 8)
			check(fmt.Sprintf("bit %d", bit), bad, size)
		}
		if size > BlockSize {
			bad := bytes.Clone(sealed)
			copy(bad[saltSize:], sealed[saltSize+sealedBlock:saltSize+2*sealedBlock])
			copy(bad[saltSize+sealedBlock:], sealed[saltSize:saltSize+sealedBlock])
			check("blocks swapped", bad, size)
			check("cut behind a block", sealed[:saltSize+sealedBlock], BlockSize)
		}
		if size > 0 {
			check("cut", sealed[:len(sealed)-1], size-1)
		}
		if _, err := get(aKeyOther(), source(sealed, nil), int64(size), 0, int64(size)); !errors.Is(err, Tampered) {
			t.Errorf("another key: %v", err)
		}
	}
}

func aKeyOther() *Key { return &Key{[keySize]byte(sequence(9, 32))} }

func TestNoTwoPiecesAreAlike(t *testing.T) {
	k := aKey()
	if bytes.Equal(k.Seal([]byte("same")), k.Seal([]byte("same"))) {
		t.Error("two pieces of the same bytes are the same")
	}
}

// TestMemoryDoesNotGrow seals and opens 256 MiB.
func TestMemoryDoesNotGrow(t *testing.T) {
	k := aKey()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, w := io.Pipe()
	const size = 256 << 20
	go func() {
		s := k.Writer(w)
		for range size / BlockSize {
			_, _ = s.Write(zeros[:])
		}
		_ = w.CloseWithError(s.Close())
	}()
	o, err := k.Open(func(_, _ int64) (io.ReadCloser, error) { return r, nil }, size, 0, size)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, o); n != size || err != nil {
		t.Fatal(n, err)
	}
	_ = o.Close()
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
}

var zeros [BlockSize]byte

func ringFile(t *testing.T, path string, names ...string) {
	t.Helper()
	var b strings.Builder
	for i, n := range names {
		fmt.Fprintf(&b, "# key\n%s:%s\n", n, base64.StdEncoding.EncodeToString(sequence(i, 32)))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(time.Duration(len(names)) * time.Second)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.keys")
	if _, err := OpenRing(path, false); err == nil {
		t.Fatal("a file that is not there was opened")
	}
	ringFile(t, path, "one")
	r, err := OpenRing(path, true)
	if err != nil {
		t.Fatal(err)
	}
	old, key := r.New()
	sealed := key.Seal([]byte("bytes"))
	if e, err := r.Rewrap(old); e != nil || err != nil {
		t.Errorf("rewrapped though current: %v %v", e, err)
	}
	ringFile(t, path, "one", "two")
	if changed, err := r.Reload(); !changed || err != nil || r.Current() != "two" {
		t.Fatal(changed, err, r.Current())
	}
	if changed, err := r.Reload(); changed || err != nil {
		t.Error(changed, err)
	}
	fresh, err := r.Rewrap(old)
	if err != nil || fresh == nil || fresh.By != "two" || bytes.Equal(fresh.Key, old.Key) {
		t.Fatal(fresh, err)
	}
	for _, e := range []*Envelope{old, fresh} {
		k, err := r.Open(e)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := get(k, source(sealed, nil), 5, 0, 5); string(got) != "bytes" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	ringFile(t, path, "three") // "one" and "two" are lost
	if _, err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(fresh); !errors.Is(err, NoMaster) {
		t.Errorf("opened without its master key: %v", err)
	}
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Reload(); err == nil || r.Current() != "three" {
		t.Errorf("a broken file took the keys away: %v, %q", err, r.Current())
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRing(path, false); err == nil {
		t.Error("a file that all can read was opened")
	}
}

func TestTheRingIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.keys")
	a, err := OpenRing(path, true)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := a.New()
	b, err := OpenRing(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(e); err != nil {
		t.Error(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
}

func TestCustomerKeys(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(sequence(1, 32))
	const sum = "WYUzG87JcbJiEiqhylrUEQ=="
	for _, bad := range [][3]string{
		{"", key, sum}, {"AES256", "", sum}, {"AES256", key, ""}, {"AES128", key, sum}, {"AES256", key[4:], sum},
		{"AES256", "%%", sum}, {"AES256", key, key},
	} {
		if _, err := ParseCustomerKey(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
	c, err := ParseCustomerKey("AES256", key, sum)
	if err != nil {
		t.Fatal(err)
	}
	e, k := c.New()
	if again, err := c.Open(e); err != nil || again.secret != k.secret {
		t.Error("it does not open again", err)
	}
	other := &CustomerKey{secret: [keySize]byte(sequence(2, 32))}
	if _, err := other.Open(e); !errors.Is(err, WrongKey) {
		t.Errorf("another key: %v", err)
	}
	b, err := json.Marshal(e)
	if err != nil || bytes.Contains(b, sequence(1, 16)) || strings.Contains(string(b), key[:12]) {
		t.Errorf("the envelope shows the key: %s", b)
	}
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v %#v %x", k, *k, k), fmt.Sprintf("%v", c.MD5())} {
		if strings.Contains(s, hex.EncodeToString(k.secret[:4])) {
			t.Errorf("the key shows itself: %s", s)
		}
	}
	if a, b := k.ETag([]byte("1")), k.ETag([]byte("2")); len(a) != 32 || a == b || a != k.ETag([]byte("1")) {
		t.Errorf("tags %s %s", a, b)
	}
}

func FuzzRing(f *testing.F) {
	f.Add([]byte("# a comment\none:" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\n"))
	f.Add([]byte("one:\n:two\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, current, err := parseRing(b)
		if _, ok := keys[current]; err == nil && !ok {
			t.Errorf("current %q of %d keys", current, len(keys))
		}
	})
}
