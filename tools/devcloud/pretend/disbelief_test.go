package pretend

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"karri/shared/sign"
)

// Clients go by the status, the code and the text with which EC2 and the other
// query services refuse what nobody vouches for; EC2 alone answers 401.
func TestWhoIsNotBelievedIsToldSoAsTheServicesDo(t *testing.T) {
	const mismatch = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	Tell(t, func(c *Story) {
		right := c.Keys
		wrong := sign.Credentials{AccessKey: right.AccessKey, Secret: "no secret of ours"}
		nobody := sign.Credentials{AccessKey: "AKIAAAAAAAAAAAAAAAAA", Secret: right.Secret}
		for _, ask := range []struct {
			service    string
			keys       sign.Credentials
			late       time.Duration
			status     int
			code, text string
		}{
			{"ec2", nobody, 0, 401, "AuthFailure", "AWS was not able to validate the provided access credentials"},
			{"sts", nobody, 0, 403, "InvalidClientTokenId", "The security token included in the request is invalid."},
			{"ec2", wrong, 0, 403, "SignatureDoesNotMatch", mismatch},
			{"sts", wrong, 0, 403, "SignatureDoesNotMatch", mismatch},
			{"ec2", sign.Credentials{}, 0, 403, "MissingAuthenticationToken", "Request is missing Authentication Token"},
			{"ec2", right, time.Hour, 400, "RequestExpired", ""},
			{"ec2", right, 0, 200, "", ""},
			{"sts", right, 0, 200, "", ""},
		} {
			form := map[string]string{"ec2": "Action=DescribeRegions&Version=2016-11-15", "sts": "Action=GetCallerIdentity&Version=2011-06-15"}[ask.service]
			r, err := http.NewRequestWithContext(c.Context(), http.MethodPost, c.EC2()+"/", strings.NewReader(form))
			if err != nil {
				c.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if ask.keys.AccessKey != "" {
				if err := sign.Request(r, ask.keys, sign.Scope{Region: Region, Service: ask.service, At: time.Now().Add(-ask.late)}, ""); err != nil {
					c.Fatal(err)
				}
			}
			res, err := c.Admin.http.Do(r)
			if err != nil {
				c.Fatal(err)
			}
			b, err := io.ReadAll(res.Body)
			res.Body.Close()
			body := string(b)
			if err != nil || res.StatusCode != ask.status ||
				ask.code != "" && !strings.Contains(body, "<Code>"+ask.code+"</Code><Message>"+ask.text) {
				c.Errorf("%s, want %d %s %q: %d %s %v", ask.service, ask.status, ask.code, ask.text, res.StatusCode, body, err)
			}
		}
	})
}
