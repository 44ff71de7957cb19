package sign

import (
	"net/url"
	"regexp"
	"strings"
)

// keyForm is the form of the id of an access key. What has another one may be a
// secret that was put in its place.
var keyForm = regexp.MustCompile(`^[A-Z][A-Z0-9]{3,31}$`)

// Malformed stands for a key id that is none.
const Malformed = "malformed"

// Claimed returns the id of the access key that a request names, in its header
// Authorization or among its parameters, whether or not its signature is good;
// "" when it names none. It is for the notes on a request that was refused.
func Claimed(authorization string, params ...url.Values) string {
	key := ""
	switch scheme, rest, _ := strings.Cut(strings.TrimSpace(authorization), " "); scheme {
	case algorithm4:
		for part := range strings.SplitSeq(rest, ",") {
			if credential, ok := strings.CutPrefix(strings.TrimSpace(part), "Credential="); ok {
				key, _, _ = strings.Cut(credential, "/")
			}
		}
	case "AWS":
		key, _, _ = strings.Cut(strings.TrimSpace(rest), ":")
	}
	for _, p := range params {
		for name, values := range p {
			if key != "" || len(values) == 0 {
				continue
			}
			switch strings.ToLower(name) {
			case "awsaccesskeyid":
				key = values[0]
			case "x-amz-credential":
				key, _, _ = strings.Cut(values[0], "/")
			}
		}
	}
	if key == "" {
		return ""
	}
	return KeyName(key)
}

// KeyName returns the id of an access key as it may be shown and written down:
// what has not the form of one is not repeated.
func KeyName(id string) string {
	if !keyForm.MatchString(id) {
		return Malformed
	}
	return id
}
