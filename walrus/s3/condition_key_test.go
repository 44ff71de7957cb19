package s3

import (
	"crypto/tls"
	"net/http"
	"testing"
)

func TestTheVersionOfTLSIsAsPoliciesWriteIt(t *testing.T) {
	for version, want := range map[uint16]string{tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3"} {
		c := &call{r: &http.Request{TLS: &tls.ConnectionState{Version: version}}}
		if got := c.requestKey(&target{}, "tlsversion"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := (&call{r: &http.Request{}}).requestKey(&target{}, "tlsversion"); got != "" {
		t.Errorf("without TLS it is %q", got)
	}
}
