package setting

import (
	"encoding/xml"
	"slices"
	"strings"
)

// CORS says which pages of other origins a browser lets at the bucket.
type CORS struct {
	XMLName xml.Name   `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CORSConfiguration"`
	Rules   []CORSRule `xml:"CORSRule"`
}

// CORSRule allows some origins some requests.
type CORSRule struct {
	ID             string   `xml:",omitempty"`
	AllowedHeaders []string `xml:"AllowedHeader,omitempty"`
	AllowedMethods []string `xml:"AllowedMethod"`
	AllowedOrigins []string `xml:"AllowedOrigin"`
	ExposeHeaders  []string `xml:"ExposeHeader,omitempty"`
	MaxAgeSeconds  *int     `xml:",omitempty"`
}

// maxCORSRules is S3's limit.
const maxCORSRules = 100

var corsMethods = []string{"GET", "PUT", "HEAD", "POST", "DELETE"}

// CORSMethod reports whether rules can speak of an HTTP method.
func CORSMethod(method string) bool { return slices.Contains(corsMethods, method) }

func (c *CORS) validate() error {
	if len(c.Rules) > maxCORSRules {
		return invalidRequest("The number of CORS rules should not exceed allowed limit of %d rules.", maxCORSRules)
	}
	for _, r := range c.Rules {
		if err := r.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (r *CORSRule) validate() error {
	if err := longID(r.ID); err != nil {
		return err
	}
	for _, m := range r.AllowedMethods {
		if !CORSMethod(m) {
			return invalidRequest("Found unsupported HTTP method in CORS config. Unsupported method is %s", m)
		}
	}
	for _, o := range r.AllowedOrigins {
		if strings.Count(o, "*") > 1 {
			return invalidRequest("AllowedOrigin \"%s\" can not have more than one wildcard.", o)
		}
	}
	for _, h := range r.AllowedHeaders {
		if strings.Count(h, "*") > 1 {
			return invalidRequest("AllowedHeader \"%s\" can not have more than one wildcard.", h)
		}
	}
	for _, h := range r.ExposeHeaders {
		if strings.Contains(h, "*") {
			return invalidRequest("ExposeHeader \"%s\" contains wildcard. We currently do not support wildcard for ExposeHeader.", h)
		}
		if !headerName(h) {
			return invalidRequest("ExposeHeader \"%s\" contains invalid character.", h)
		}
	}
	if r.MaxAgeSeconds != nil && *r.MaxAgeSeconds < 0 {
		return MalformedXML
	}
	return nil
}

// headerName reports whether h can stand in a list of header names.
func headerName(h string) bool {
	for _, b := range []byte(h) {
		if b <= ' ' || b >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", b) >= 0 {
			return false
		}
	}
	return h != ""
}

// Match returns the first rule that allows a page of an origin a request with
// these headers, and whether it allows it to any origin. A request that is no
// preflight names no headers.
func (c *CORS) Match(origin, method string, headers []string) (rule *CORSRule, any bool) {
	if c == nil {
		return nil, false
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		o := slices.IndexFunc(r.AllowedOrigins, func(pattern string) bool { return wild(pattern, origin, equal) })
		if o < 0 || !slices.Contains(r.AllowedMethods, method) {
			continue
		}
		if !slices.ContainsFunc(headers, func(h string) bool { return !r.allows(h) }) {
			return r, r.AllowedOrigins[o] == "*"
		}
	}
	return nil, false
}

func (r *CORSRule) allows(header string) bool {
	return slices.ContainsFunc(r.AllowedHeaders, func(pattern string) bool {
		return wild(pattern, header, strings.EqualFold)
	})
}

// wild matches a pattern with at most one *.
func wild(pattern, s string, equal func(a, b string) bool) bool {
	before, after, has := strings.Cut(pattern, "*")
	if !has {
		return equal(pattern, s)
	}
	return len(s) >= len(before)+len(after) && equal(s[:len(before)], before) && equal(s[len(s)-len(after):], after)
}

func equal(a, b string) bool { return a == b }
