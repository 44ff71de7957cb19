package s3

import (
	"encoding/xml"
	"testing"
	"time"
)

// TestTextReadsBackAsItWas: what page writes is what an XML parser reads.
func TestTextReadsBackAsItWas(t *testing.T) {
	for _, s := range []string{"", "plain/key", `a<b>&"c"'d'`, "line\nfeed\ttab\rreturn", "größe/日本", "a//b%2F..", "]]>"} {
		p := newPage("R", nil)
		p.text("Key", s)
		p.close("R")
		var got struct{ Key string }
		if err := xml.Unmarshal(p.b, &got); err != nil || got.Key != s {
			t.Errorf("%q was read back as %q: %v", s, got.Key, err)
		}
	}
}

func TestStampIsThatOfTheLayout(t *testing.T) {
	for _, at := range []time.Time{{}, time.Unix(0, 0), time.Date(2026, 11, 21, 3, 4, 5, 67_890_000, time.UTC), time.Date(2026, 12, 31, 23, 59, 59, 999_999_999, time.FixedZone("x", 7200))} {
		if got := string(appendStamp(nil, at)); got != stamp(at) {
			t.Errorf("%v was written as %s, not %s", at, got, stamp(at))
		}
	}
}
