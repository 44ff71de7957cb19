package federation

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The claims in which an issuer says what a session is to have.
const (
	tagsClaim   = "https://aws.amazon.com/tags"
	sourceClaim = "https://aws.amazon.com/source_identity"
)

// payloadOf returns the claims of a token as they stand there, unverified.
func payloadOf(token string) ([]byte, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > maxToken {
		return nil, invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, invalid("The ID Token provided is not a valid JWT.").Because(err)
	}
	return payload, nil
}

// flat returns the claims that conditions may ask about: texts, numbers, truth
// values and lists of them.
func flat(claims map[string]any) map[string][]string {
	out := map[string][]string{}
	for name, v := range claims {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		var texts []string
		for _, one := range list {
			switch one := one.(type) {
			case string:
				texts = append(texts, one)
			case bool:
				texts = append(texts, strconv.FormatBool(one))
			case float64:
				texts = append(texts, strconv.FormatFloat(one, 'f', -1, 64))
			}
		}
		if len(texts) == len(list) && len(texts) > 0 {
			out[name] = texts
		}
	}
	return out
}

// session reads what the issuer says of the session.
func (id *Identity) session(claims map[string]any) error {
	if v, there := claims[sourceClaim]; there {
		source, ok := v.(string)
		if !ok {
			return invalid("The claim %s is no text.", sourceClaim)
		}
		id.Source = source
	}
	v, there := claims[tagsClaim]
	if !there {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return invalid("The claim %s cannot be read.", tagsClaim).Because(err)
	}
	var tags struct {
		Principal  map[string][]string `json:"principal_tags"`
		Transitive []string            `json:"transitive_tag_keys"`
	}
	if err := json.Unmarshal(text, &tags); err != nil {
		return invalid("The claim %s has not the form that it must have.", tagsClaim).Because(err)
	}
	id.Tags, id.Transitive = map[string]string{}, tags.Transitive
	for k, values := range tags.Principal {
		if len(values) != 1 {
			return invalid("The tag %s of the token has %d values, not one.", fmt.Sprintf("%.130q", k), len(values))
		}
		id.Tags[k] = values[0]
	}
	return nil
}
