package s3

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/rest"
	"karri/walrus/setting"
)

// varies are the headers that an answer depends on where there are CORS rules.
const varies = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"

// maxAsked bounds the work that somebody unknown can ask for with one request.
const maxAsked = 100

var refusedCORS = forbiddenCORS("This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")

func forbiddenCORS(format string, args ...any) error {
	return fault.New(fault.Denied, "AccessForbidden", "CORSResponse: "+format, args...)
}

// corsRules returns the rules of the bucket that the request names; nil when it
// has none. A bucket of the cloud is not there for browsers.
func (c *call) corsRules() (*setting.CORS, error) {
	if c.bucket == "" {
		return nil, nil
	}
	if strings.HasPrefix(c.bucket, bucket.SystemPrefix) {
		return nil, forbiddenCORS("Bucket not found")
	}
	b, err := c.Buckets.Bucket(c.ctx, c.bucket)
	if fault.KindOf(err) == fault.Missing {
		return nil, forbiddenCORS("Bucket not found")
	}
	if err != nil {
		return nil, err
	}
	all, err := c.cache.Of(b)
	if err != nil {
		return nil, err
	}
	return all.CORS, nil
}

// preflight answers what a browser asks before a request of another origin's
// page. Nobody signs that.
func (c *call) preflight() error {
	rest.Label(c.ctx, "Preflight")
	h := c.r.Header
	origin, method := h.Get("Origin"), h.Get("Access-Control-Request-Method")
	switch {
	case origin == "":
		return fault.New(fault.Invalid, "BadRequest", "Insufficient information. Origin request header needed.")
	case method == "":
		return fault.New(fault.Invalid, "BadRequest", "Invalid Access-Control-Request-Method: null")
	case !setting.CORSMethod(method):
		return fault.New(fault.Invalid, "BadRequest", "Invalid Access-Control-Request-Method: %s", method)
	}
	rules, err := c.corsRules()
	if err != nil {
		return err
	}
	if rules == nil {
		return forbiddenCORS("CORS is not enabled for this bucket.")
	}
	var asked []string
	for name := range strings.SplitSeq(strings.Join(h.Values("Access-Control-Request-Headers"), ","), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			asked = append(asked, name)
		}
		if len(asked) > maxAsked {
			return refusedCORS
		}
	}
	rule, any := rules.Match(origin, method, asked)
	if rule == nil {
		return refusedCORS
	}
	c.allowOrigin(rule, origin, any)
	if len(asked) > 0 {
		c.set("Access-Control-Allow-Headers", strings.Join(asked, ", "))
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// cors lets the page that sent the request see the answer, also an error.
func (c *call) cors() {
	origin := c.r.Header.Get("Origin")
	if origin == "" {
		return
	}
	rules, err := c.corsRules()
	if err != nil {
		return // which the request itself meets too
	}
	method := cmp.Or(c.r.Header.Get("Access-Control-Request-Method"), c.r.Method)
	if rule, any := rules.Match(origin, method, nil); rule != nil {
		c.allowOrigin(rule, origin, any)
	}
}

func (c *call) allowOrigin(rule *setting.CORSRule, origin string, any bool) {
	if any {
		c.set("Access-Control-Allow-Origin", "*")
	} else {
		c.set("Access-Control-Allow-Origin", origin)
		c.set("Access-Control-Allow-Credentials", "true")
	}
	c.set("Access-Control-Allow-Methods", strings.Join(rule.AllowedMethods, ", "))
	if len(rule.ExposeHeaders) > 0 {
		c.set("Access-Control-Expose-Headers", strings.Join(rule.ExposeHeaders, ", "))
	}
	if rule.MaxAgeSeconds != nil {
		c.set("Access-Control-Max-Age", strconv.Itoa(*rule.MaxAgeSeconds))
	}
	c.set("Vary", varies)
}
