package s3

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/rest"
	"karri/walrus/index"
	"karri/walrus/setting"
)

// redirectHeader, on an object, sends those who want its page elsewhere.
const redirectHeader = "X-Amz-Website-Redirect-Location"

// checkRedirect refuses what a browser could not be sent to.
func checkRedirect(to string) error {
	for _, prefix := range []string{"", "/", "http://", "https://"} {
		if (prefix == "") == (to == "") && strings.HasPrefix(to, prefix) && len(to) <= 2<<10 {
			return nil
		}
	}
	return fault.New(fault.Invalid, "InvalidRedirectLocation", "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")
}

// website answers a request to the host BUCKET.WEBSITE-DOMAIN: always as for
// somebody unknown, for whom the right to read objects decides as elsewhere,
// and with pages in place of documents of XML.
func (c *call) website() error {
	c.who, c.query = Caller{Anonymous: true}, url.Values{}
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		return methodNotAllowed
	}
	c.op = operations[selector{method: c.r.Method, on: onObject}]
	rest.Label(c.ctx, "Website")
	site, err := c.site()
	if err != nil {
		return err
	}
	key := c.key
	if site.RedirectAll != nil {
		return c.redirect(http.StatusMovedPermanently, site.RedirectAll.To(c.scheme(), key))
	}
	if to, code, ok := site.Route(c.scheme(), c.r.Host, key, 0); ok {
		return c.redirect(code, to)
	}
	err = c.page(site, key)
	f := fault.Of(err)
	s := status(f)
	if err == nil || s < 400 || errors.Is(err, errBegun) {
		return err
	}
	if to, code, ok := site.Route(c.scheme(), c.r.Host, key, s); ok {
		return c.redirect(code, to)
	}
	if site.Error != nil && s < 500 {
		if c.trouble = c.errorPage(site.Error.Key, s); c.trouble == nil {
			rest.NoteError(c.ctx, err)
			return nil
		}
		if errors.Is(c.trouble, errBegun) {
			return c.trouble
		}
	}
	c.key = key
	return err
}

// site returns the website that the bucket is.
func (c *call) site() (*setting.Website, error) {
	if strings.HasPrefix(c.bucket, bucket.SystemPrefix) {
		return nil, index.NoSuchBucket
	}
	b, err := c.Buckets.Bucket(c.ctx, c.bucket)
	if err != nil {
		return nil, err
	}
	all, err := c.cache.Of(b)
	if err != nil {
		return nil, err
	}
	if all.Website == nil {
		return nil, fault.New(fault.Missing, "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")
	}
	return all.Website, nil
}

// page answers with the object of a key; of a folder, with its index.
func (c *call) page(site *setting.Website, key string) error {
	shown := key
	if key == "" || strings.HasSuffix(key, "/") {
		shown += site.Index.Suffix
	}
	o, err := c.visible(shown)
	if err != nil {
		if s := status(fault.Of(err)); shown == key && (s == http.StatusNotFound || s == http.StatusForbidden) {
			if _, other := c.visible(key + "/" + site.Index.Suffix); other == nil {
				return c.redirect(http.StatusFound, (&url.URL{Path: "/" + key + "/"}).EscapedPath())
			}
		}
		return err
	}
	if to := o.Headers[redirectHeader]; to != "" {
		return c.redirect(http.StatusMovedPermanently, to)
	}
	c.key = shown
	return c.op.Run(c)
}

// visible returns an object that everybody may read.
func (c *call) visible(key string) (*index.Object, error) {
	c.key = key
	if err := c.authorise(); err != nil {
		return nil, err
	}
	o, err := c.Objects.Object(c.ctx, c.bucket, key, "")
	if err == nil && o.Marker {
		err = index.NoSuchKey
	}
	if err != nil {
		err = c.hide(c.target, err)
	}
	return o, err
}

// errorPage answers with an object in place of what went wrong.
func (c *call) errorPage(key string, status int) error {
	if _, err := c.visible(key); err != nil {
		return err
	}
	for _, name := range []string{"Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		c.r.Header.Del(name) // they were about another object
	}
	c.w = &restatus{c.w, status}
	return c.op.Run(c)
}

// restatus answers with another status.
type restatus struct {
	http.ResponseWriter
	status int
}

// WriteHeader is http.ResponseWriter's.
func (w *restatus) WriteHeader(int) { w.ResponseWriter.WriteHeader(w.status) }

// Unwrap is what http.ResponseController asks for.
func (w *restatus) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (c *call) scheme() string {
	if c.r.TLS != nil {
		return "https"
	}
	return "http"
}

func (c *call) redirect(code int, to string) error {
	c.set("Location", to)
	c.html(code, list([][2]string{{"Code", strings.ReplaceAll(http.StatusText(code), " ", "")}, {"Message", "Resource Found"}}))
	return nil
}

// failPage is fail for who looks at a website.
func (c *call) failPage(err error) {
	f := fault.Of(err)
	s := status(f)
	if s < 400 || errors.Is(err, errBegun) {
		c.fail(err)
		return
	}
	rest.NoteError(c.ctx, err)
	if f.Kind == fault.Broken || f.Kind == fault.Later {
		f = fault.New(f.Kind, http.StatusText(s), "%s", f.Text)
	}
	c.set("x-amz-error-code", f.Code)
	c.set("x-amz-error-message", strings.ReplaceAll(f.Text, "\n", " "))
	facts := [][2]string{{"Code", f.Code}, {"Message", f.Text}}
	switch f.Code {
	case "NoSuchBucket", "NoSuchWebsiteConfiguration":
		facts = append(facts, [2]string{"BucketName", c.bucket})
	case "NoSuchKey":
		facts = append(facts, [2]string{"Key", c.key})
	case "MethodNotAllowed":
		c.set("Allow", "GET, HEAD")
		facts = append(facts, [2]string{"Method", c.r.Method}, [2]string{"ResourceType", "OBJECT"})
	}
	body := list(append(facts, [2]string{"RequestId", c.id}, [2]string{"HostId", c.w.Header()["x-amz-id-2"][0]}))
	if c.trouble != nil {
		f := fault.Of(c.trouble)
		body += "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n" + list([][2]string{{"Code", f.Code}, {"Message", f.Text}})
	}
	c.html(s, body)
}

func list(facts [][2]string) string {
	var b strings.Builder
	b.WriteString("<ul>\n")
	for _, f := range facts {
		fmt.Fprintf(&b, "<li>%s: %s</li>\n", f[0], html.EscapeString(f[1]))
	}
	return b.String() + "</ul>\n"
}

// html answers with a page.
func (c *call) html(status int, body string) {
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	page := fmt.Sprintf("<html>\n<head><title>%s</title></head>\n<body>\n<h1>%s</h1>\n%s<hr/>\n</body>\n</html>\n", title, title, body)
	h := c.w.Header()
	for _, name := range []string{"ETag", "Last-Modified", "Accept-Ranges", "Content-Range", "Content-Encoding", "Content-Disposition"} {
		h.Del(name)
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(page)))
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write([]byte(page)) // a client that went away needs no answer
	}
}
