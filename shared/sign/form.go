package sign

import (
	"context"
	"crypto/hmac"
	"slices"
	"strings"
	"time"
)

// formParts are the fields of a form that make its signature, by version.
var (
	formParts4 = []string{"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"}
	formParts2 = []string{"awsaccesskeyid", "signature"}
)

// VerifyForm says who signed the policy of a browser's form. What is signed is
// the field "policy" as it was sent. Fields have names in lower case, and none
// of them came twice. How long the policy counts is written in it; a SigV4
// signature also ends with its key, seven days after its date.
func (v *Verifier) VerifyForm(ctx context.Context, fields map[string]string) (Identity, error) {
	has := func(name string) bool { return fields[name] != "" }
	by4, by2 := slices.ContainsFunc(formParts4, has), slices.ContainsFunc(formParts2, has)
	switch {
	case len(fields["x-amz-security-token"]) > MaxToken:
		return Identity{}, v.Dialect.fault(badToken, "%s", v.Dialect.badToken)
	case by4 && by2:
		return Identity{}, v.Dialect.fault(mixed, "Only one authentication mechanism is allowed: the fields of signature version 4 or of version 2.")
	case !isBase64(fields["policy"]): // no other string that is signed looks like it
		return Identity{}, v.Dialect.fault(mixed, "Invalid Policy: it must be in base64, without line breaks.")
	case by2:
		return v.formV2(ctx, fields)
	}
	return v.formV4(ctx, fields)
}

func (v *Verifier) formParts(fields map[string]string, names []string) error {
	for _, name := range names {
		if fields[name] == "" {
			return v.Dialect.fault(mixed, "Bucket POST must contain a field named '%s'.  If it is specified, please check the order of the fields.", name)
		}
	}
	return nil
}

func (v *Verifier) formV4(ctx context.Context, fields map[string]string) (Identity, error) {
	if err := v.formParts(fields, formParts4); err != nil {
		return Identity{}, err
	}
	if fields["x-amz-algorithm"] != algorithm4 {
		return Identity{}, v.Dialect.fault(mixed, "X-Amz-Algorithm only supports \"%s\"", algorithm4)
	}
	s, what := parseScope(fields["x-amz-credential"], "host", fields["x-amz-signature"])
	if what != "" {
		return Identity{}, v.Dialect.fault(mixed, "The fields of the signature are malformed; %s", what)
	}
	var err error
	if s.at, err = time.Parse(stampForm, fields["x-amz-date"]); err != nil {
		return Identity{}, v.Dialect.fault(mixed, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
	}
	s.presigned = true // it need not be of now
	if err := v.checkScope(s); err != nil {
		return Identity{}, err
	}
	if v.now().After(s.at.Add(MaxExpires)) {
		return Identity{}, v.Dialect.fault(expired, "Request has expired")
	}
	key, err := v.Keys.SigningKey(ctx, s.key, fields["x-amz-security-token"], s.date, s.region, s.service)
	if err != nil {
		return Identity{}, v.keyFault(err, fields["x-amz-security-token"])
	}
	if !hmac.Equal([]byte(signString(key.Signing, fields["policy"])), []byte(s.signature)) {
		return Identity{}, v.mismatch()
	}
	if err := v.alive(key); err != nil {
		return Identity{}, err
	}
	return Identity{AccessKey: s.key, Account: key.Account, ARN: key.ARN, Rights: key.Rights, Version: 4, Presigned: true, Region: s.region, Service: s.service, At: s.at}, nil
}

func (v *Verifier) formV2(ctx context.Context, fields map[string]string) (Identity, error) {
	if err := v.formParts(fields, formParts2); err != nil {
		return Identity{}, err
	}
	id := fields["awsaccesskeyid"]
	if len(id) > maxField || len(fields["signature"]) > maxField {
		return Identity{}, v.unknownKey()
	}
	key, err := v.Keys.CheckV2(ctx, id, fields["x-amz-security-token"], "HmacSHA1", fields["policy"], fields["signature"])
	if err != nil {
		return Identity{}, v.keyFault(err, fields["x-amz-security-token"])
	}
	if err := v.alive(key); err != nil {
		return Identity{}, err
	}
	return Identity{AccessKey: id, Account: key.Account, ARN: key.ARN, Rights: key.Rights, Version: 2, Presigned: true}, nil
}

func isBase64(s string) bool {
	return s != "" && len(s)%4 == 0 && !strings.ContainsFunc(s, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '=')
	})
}
