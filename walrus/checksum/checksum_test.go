package checksum

import (
	"testing"

	"pgregory.net/rapid"
)

func sum(a Algorithm, data []byte) string {
	h := a.New()
	_, _ = h.Write(data)
	return Encode(h.Sum(nil))
}

func TestCombineIsTheSumOfTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.SliceOf(rapid.Byte()).Draw(t, "x"), rapid.SliceOf(rapid.Byte()).Draw(t, "y")
		for _, a := range All {
			got, ok := a.Combine(sum(a, x), sum(a, y), int64(len(y)))
			if ok != a.CRC() {
				t.Fatalf("%s: ok %v", a, ok)
			}
			if want := sum(a, append(x[:len(x):len(x)], y...)); ok && got != want {
				t.Fatalf("%s: got %s, want %s", a, got, want)
			}
		}
	})
}

// The check values of the published catalogues for "123456789".
func TestKnownSums(t *testing.T) {
	for a, want := range map[Algorithm]string{
		CRC32:     "y/Q5Jg==",
		CRC32C:    "4waSgw==",
		CRC64NVME: "rosUhgp5mIg=",
		SHA1:      "98O8HYCOBHMq32eZZczDTKeuNEE=",
		SHA256:    "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
	} {
		if got := sum(a, []byte("123456789")); got != want || !a.Valid(got) {
			t.Errorf("%s: got %s, want %s", a, got, want)
		}
	}
	if CRC32.Valid("AAAA") || CRC32.Valid("!") || SHA256.Valid("y/Q5Jg==") {
		t.Error("what is no checksum passes for one")
	}
}
