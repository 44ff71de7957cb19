package setting

import (
	"encoding/xml"
	"net/url"
	"strconv"
	"strings"
)

// Website says how a bucket answers as a website.
type Website struct {
	XMLName     xml.Name       `xml:"http://s3.amazonaws.com/doc/2006-03-01/ WebsiteConfiguration"`
	Index       *IndexDocument `xml:"IndexDocument"`
	Error       *ErrorDocument `xml:"ErrorDocument"`
	RedirectAll *RedirectAll   `xml:"RedirectAllRequestsTo"`
	Routing     *RoutingRules  `xml:"RoutingRules"`
}

// IndexDocument is what is shown of a folder.
type IndexDocument struct {
	Suffix string
}

// ErrorDocument is what is shown with a status of 4xx.
type ErrorDocument struct {
	Key string
}

// RedirectAll sends every request elsewhere.
type RedirectAll struct {
	HostName string
	Protocol *Protocol
}

// RoutingRules is the list of rules.
type RoutingRules struct {
	Rules []RoutingRule `xml:"RoutingRule"`
}

// RoutingRule redirects the requests that its condition is about.
type RoutingRule struct {
	Condition *RoutingCondition
	Redirect  Redirect
}

// RoutingCondition holds when all that is set holds.
type RoutingCondition struct {
	ErrorCode *string `xml:"HttpErrorCodeReturnedEquals"`
	KeyPrefix *string `xml:"KeyPrefixEquals"`
}

// Redirect says what in the URL is other; what is not set stays.
type Redirect struct {
	HostName      *string
	Code          *string `xml:"HttpRedirectCode"`
	Protocol      *Protocol
	ReplacePrefix *string `xml:"ReplaceKeyPrefixWith"`
	ReplaceKey    *string `xml:"ReplaceKeyWith"`
}

// A Protocol is http or https.
type Protocol string

func (Protocol) values() string { return "http https" }

// maxRouting is S3's limit.
const maxRouting = 50

func (w *Website) validate() error {
	if w.RedirectAll != nil {
		if w.Index != nil || w.Error != nil || w.Routing != nil {
			return invalidArgument("RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.")
		}
		return hostName(&w.RedirectAll.HostName)
	}
	switch {
	case w.Index == nil:
		return invalidArgument("A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty")
	case w.Index.Suffix == "" || strings.Contains(w.Index.Suffix, "/"):
		return invalidArgument("The IndexDocument Suffix is not well formed")
	case w.Error != nil && (w.Error.Key == "" || len(w.Error.Key) > 1024):
		return invalidArgument("The ErrorDocument Key is not well formed")
	case w.Routing == nil:
		return nil
	case len(w.Routing.Rules) > maxRouting:
		return invalidRequest("The maximum number of routing rules is %d.", maxRouting)
	}
	for _, r := range w.Routing.Rules {
		if err := r.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (r *RoutingRule) validate() error {
	if c := r.Condition; c != nil {
		if c.ErrorCode == nil && c.KeyPrefix == nil {
			return invalidRequest("Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.")
		}
		if n, ok := code(c.ErrorCode); c.ErrorCode != nil && (!ok || n < 400 || n > 599) {
			return invalidRequest("The provided HTTP error code (%s) is not valid. Valid codes are 4XX or 5XX.", *c.ErrorCode)
		}
	}
	to := r.Redirect
	if n, ok := code(to.Code); to.Code != nil && (!ok || n < 301 || n > 399) {
		return invalidRequest("The provided HTTP redirect code (%s) is not valid. Valid codes are 3XX except 300.", *to.Code)
	}
	switch {
	case to.ReplaceKey != nil && to.ReplacePrefix != nil:
		return invalidRequest("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
	case to == (Redirect{}):
		return MalformedXML
	case to.HostName != nil:
		return hostName(to.HostName)
	}
	return nil
}

// hostName refuses what cannot stand in a URL as its host.
func hostName(h *string) error {
	if *h == "" || strings.ContainsFunc(*h, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>\^{|}?#@`, r) }) {
		return invalidRequest("The HostName is not well formed")
	}
	return nil
}

func code(s *string) (int, bool) {
	if s == nil || len(*s) != 3 {
		return 0, false
	}
	n, err := strconv.Atoi(*s)
	return n, err == nil
}

// Route returns where a request for a key goes: by the rules without an error
// code when status is 0, else by all.
func (w *Website) Route(scheme, host, key string, status int) (location string, redirect int, ok bool) {
	if w.Routing == nil {
		return "", 0, false
	}
	for _, r := range w.Routing.Rules {
		prefix := ""
		if c := r.Condition; c != nil {
			if n, has := code(c.ErrorCode); has && n != status {
				continue
			}
			if c.KeyPrefix != nil {
				prefix = *c.KeyPrefix
			}
		}
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		location, redirect = r.Redirect.apply(scheme, host, key, prefix)
		return location, redirect, true
	}
	return "", 0, false
}

func (r *Redirect) apply(scheme, host, key, prefix string) (location string, redirect int) {
	redirect = 301
	if n, ok := code(r.Code); ok {
		redirect = n
	}
	if r.Protocol != nil {
		scheme = string(*r.Protocol)
	}
	if r.HostName != nil {
		host = *r.HostName
	}
	switch {
	case r.ReplaceKey != nil:
		key = *r.ReplaceKey
	case r.ReplacePrefix != nil:
		key = *r.ReplacePrefix + strings.TrimPrefix(key, prefix)
	}
	return place(scheme, host, key), redirect
}

// To returns where a request for a key goes when all go elsewhere.
func (r *RedirectAll) To(scheme, key string) string {
	if r.Protocol != nil {
		scheme = string(*r.Protocol)
	}
	return place(scheme, r.HostName, key)
}

func place(scheme, host, key string) string {
	return scheme + "://" + host + (&url.URL{Path: "/" + key}).EscapedPath()
}
