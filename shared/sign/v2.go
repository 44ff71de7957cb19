package sign

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The SigV2 sub-resources and overrides that stand in the string to sign, and
// the parameters that S3 leaves out of it because they only shape a listing.
// Any other parameter of a SigV2 request would be an unsigned change of what
// is asked, so it is refused.
var (
	signedV2 = strings.Fields(`accelerate acl analytics cors delete encryption intelligent-tiering inventory
		legal-hold lifecycle location logging metrics notification object-lock ownershipControls partNumber policy
		policyStatus publicAccessBlock replication requestPayment response-cache-control
		response-content-disposition response-content-encoding response-content-language response-content-type
		response-expires restore retention select select-type tagging torrent uploadId uploads versionId
		versioning versions website`)
	openV2 = strings.Fields(`continuation-token delimiter encoding-type fetch-owner key-marker list-type marker
		max-keys max-parts max-uploads part-number-marker prefix start-after upload-id-marker version-id-marker
		x-id AWSAccessKeyId Expires Signature`)
)

// speaksV2 reports whether r carries SigV2 parameters, in its query string or,
// for the query services, in its form.
func (v *Verifier) speaksV2(r *http.Request, query pairs, body *Body) (bool, error) {
	if v.Dialect.objects {
		return query.any("AWSAccessKeyId", "Signature"), nil
	}
	if r.Method == http.MethodPost && strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "application/x-www-form-urlencoded") {
		form, err := parsePairs(string(body.whole))
		if err != nil {
			return false, v.Dialect.fault(malformedQuery, "The form cannot be parsed.").Because(err)
		}
		body.form = form
	}
	names := []string{"AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion"}
	return query.any(names...) || body.form.any(names...), nil
}

// queryV2 verifies the query form that EC2's old tools use.
func (v *Verifier) queryV2(r *http.Request, query pairs, body *Body, token string) (Identity, *Body, error) {
	bad := func(what string) (Identity, *Body, error) {
		return Identity{}, nil, v.Dialect.fault(malformedQuery, "%s", what)
	}
	params := query
	switch {
	case r.Method == http.MethodPost && len(query) > 0:
		return bad("A POST signed with version 2 holds all parameters in its form.")
	case r.Method == http.MethodPost:
		params = body.form
	case r.Method != http.MethodGet || len(body.whole) > 0:
		return bad("A request signed with version 2 is a GET without a body, or a POST.")
	}
	switch n := params.count("SecurityToken"); {
	case n > 1, n == 1 && token != "", len(params.get("SecurityToken")) > MaxToken:
		return Identity{}, nil, v.Dialect.fault(badToken, "%s", v.Dialect.badToken)
	case n == 1:
		token = params.get("SecurityToken")
	}
	fields := map[string]string{}
	for _, name := range []string{"AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion"} {
		value, ok := params.once(name)
		if !ok || value == "" || len(value) > maxField {
			return bad("The request must contain the parameter " + name + " exactly once.")
		}
		fields[name] = value
	}
	method := fields["SignatureMethod"]
	if fields["SignatureVersion"] != "2" || method != "HmacSHA1" && method != "HmacSHA256" {
		return bad("Only SignatureVersion 2 with HmacSHA1 or HmacSHA256 is supported, or AWS4-HMAC-SHA256.")
	}
	at, err := v.queryV2Time(params)
	if err != nil {
		return Identity{}, nil, err
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	text := strings.Join([]string{r.Method, strings.ToLower(r.Host), path, params.canonical("Signature", true)}, "\n")
	return v.checkV2(r, body, Identity{AccessKey: fields["AWSAccessKeyId"], Version: 2, At: at}, token, method, text, fields["Signature"])
}

// queryV2Time checks the one of Timestamp and Expires that params hold.
func (v *Verifier) queryV2Time(params pairs) (time.Time, error) {
	stamp, expires := params.count("Timestamp"), params.count("Expires")
	if stamp+expires != 1 {
		return time.Time{}, v.Dialect.fault(malformedQuery, "The request must contain exactly one of Timestamp and Expires.")
	}
	at, err := parseISO(params.get("Timestamp") + params.get("Expires"))
	switch {
	case err != nil:
		return time.Time{}, v.Dialect.fault(noDate, "Timestamp and Expires are written as 2006-01-02T15:04:05Z.")
	case stamp == 1:
		return at, v.checkSkew(at)
	case at.Before(v.now()):
		return time.Time{}, v.Dialect.fault(expired, "The request has expired.")
	case at.After(v.now().Add(MaxExpires)):
		return time.Time{}, v.Dialect.fault(malformedQuery, "Expires is more than seven days away.")
	}
	return time.Time{}, nil
}

func parseISO(s string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at.UTC(), nil
	}
	return time.Parse("2006-01-02T15:04:05", s)
}

// objectV2 verifies S3's form: the Authorization header's part after "AWS ",
// or, when that is empty, a presigned query string.
func (v *Verifier) objectV2(r *http.Request, query pairs, body *Body, token, auth string) (Identity, *Body, error) {
	who := Identity{Version: 2, Presigned: auth == ""}
	var date, signature string
	var err error
	if who.Presigned {
		who.AccessKey, date, signature, err = v.presignedV2(query)
	} else {
		who.AccessKey, signature, _ = strings.Cut(auth, ":")
		who.At, date, err = v.objectV2Date(r)
	}
	if err != nil {
		return Identity{}, nil, err
	}
	if who.AccessKey == "" || signature == "" || len(who.AccessKey) > maxField || len(signature) > maxField {
		return Identity{}, nil, v.Dialect.fault(malformedHeader, "The authorization must be an access key, a colon and a signature.")
	}
	for _, p := range query {
		if who.Presigned && lift(r, p) {
			continue
		}
		if !slices.Contains(signedV2, p.name) && !slices.Contains(openV2, p.name) {
			return Identity{}, nil, v.Dialect.fault(notDone, "A request signed with version 2 cannot carry the parameter %s.", p.name)
		}
	}
	for _, name := range []string{"Content-Md5", "Content-Type", "Date"} {
		if len(r.Header[name]) > 1 {
			return Identity{}, nil, v.Dialect.fault(malformedHeader, "The header %s stands there twice.", name)
		}
	}
	text := strings.Join([]string{r.Method, r.Header.Get("Content-Md5"), r.Header.Get("Content-Type"), date, amzHeaders(r) + v.resource(r, query)}, "\n")
	return v.checkV2(r, body, who, token, "HmacSHA1", text, signature)
}

// lift makes a parameter that stands for a header of a presigned request that
// header, unless the request has it; so boto3 writes the headers that it
// signed. Only what is signed is lifted: it cannot change what was meant.
func lift(r *http.Request, p pair) bool {
	low := strings.ToLower(p.name)
	if !strings.HasPrefix(low, "x-amz-") && low != "content-type" && low != "content-md5" {
		return false
	}
	if r.Header.Get(p.name) == "" {
		r.Header.Set(p.name, p.value)
	}
	return true
}

func (v *Verifier) presignedV2(query pairs) (key, expires, signature string, err error) {
	for _, name := range []string{"AWSAccessKeyId", "Expires", "Signature"} {
		if query.count(name) != 1 {
			return "", "", "", v.Dialect.fault(malformedQuery, "Query-string authentication needs the parameter %s exactly once.", name)
		}
	}
	expires = query.get("Expires")
	end, err := strconv.ParseUint(expires, 10, 40)
	if err != nil {
		return "", "", "", v.Dialect.fault(malformedQuery, "Expires must be a number of seconds since 1970.")
	}
	if v.now().After(time.Unix(int64(end), 0)) {
		return "", "", "", v.Dialect.fault(expired, "Request has expired")
	}
	return query.get("AWSAccessKeyId"), expires, query.get("Signature"), nil
}

// objectV2Date returns the time of r, checked, and the text that stands for it
// in the string to sign: nothing when it is in x-amz-date, signed below.
func (v *Verifier) objectV2Date(r *http.Request) (time.Time, string, error) {
	stamps, dates := r.Header.Values("X-Amz-Date"), r.Header.Values("Date")
	text, signed := "", ""
	switch {
	case len(stamps) == 1:
		text = stamps[0]
	case len(stamps) == 0 && len(dates) == 1:
		text, signed = dates[0], dates[0]
	}
	for _, form := range []string{time.RFC1123, time.RFC1123Z, "Mon, 2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 2006 15:04:05 -0700", stampForm} {
		if at, err := time.Parse(form, text); err == nil {
			return at.UTC(), signed, v.checkSkew(at.UTC())
		}
	}
	return time.Time{}, "", v.Dialect.fault(noDate, "AWS authentication requires one valid Date or x-amz-date header")
}

// amzHeaders returns a line for each x-amz-* header of r, in the order of the
// names.
func amzHeaders(r *http.Request) string {
	var names []string
	for name := range r.Header {
		if low := strings.ToLower(name); strings.HasPrefix(low, "x-amz-") {
			names = append(names, low)
		}
	}
	slices.Sort(names)
	var lines strings.Builder
	for _, name := range names {
		values := slices.Clone(r.Header.Values(name))
		for i, s := range values {
			values[i] = strings.TrimSpace(s)
		}
		lines.WriteString(name + ":" + strings.Join(values, ",") + "\n")
	}
	return lines.String()
}

// resource returns SigV2's canonical resource: bucket, path as sent, and the
// sub-resources, decoded and in order.
func (v *Verifier) resource(r *http.Request, query pairs) string {
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	if v.Bucket != nil {
		if bucket := v.Bucket(r); bucket != "" {
			path = "/" + bucket + path
		}
	}
	var subs []string
	for _, p := range query {
		switch {
		case !slices.Contains(signedV2, p.name):
		case p.value == "":
			subs = append(subs, p.name)
		default:
			subs = append(subs, p.name+"="+p.value)
		}
	}
	if len(subs) == 0 {
		return path
	}
	slices.Sort(subs)
	return path + "?" + strings.Join(subs, "&")
}

// checkV2 has the holder of the secret compare, and opens the body.
func (v *Verifier) checkV2(r *http.Request, body *Body, who Identity, token, algorithm, text, signature string) (Identity, *Body, error) {
	key, err := v.Keys.CheckV2(r.Context(), who.AccessKey, token, algorithm, text, signature)
	if err != nil {
		return Identity{}, nil, v.keyFault(err, token)
	}
	if err := v.alive(key); err != nil {
		return Identity{}, nil, err
	}
	who.Account, who.ARN, who.Rights = key.Account, key.ARN, key.Rights
	return who, body, v.prove(r, body, r.Header.Get(hashHeader), nil)
}
