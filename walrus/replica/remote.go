package replica

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"karri/shared/sign"
	"karri/walrus/index"
	"karri/walrus/setting"
)

// remote is a bucket of another S3.
type remote struct {
	client *http.Client
	target setting.ReplicationTarget
	now    func() time.Time
}

// refusal is an answer that is no success.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("the target answered %d: %s", r.status, r.text) }

func (r *remote) credentials() (sign.Credentials, error) {
	b, err := os.ReadFile(r.target.Credentials)
	if err != nil {
		return sign.Credentials{}, fmt.Errorf("the credentials of a target: %w", err)
	}
	words := strings.Fields(string(b))
	if len(words) != 2 {
		return sign.Credentials{}, fmt.Errorf("%s does not hold an access key and a secret", r.target.Credentials)
	}
	return sign.Credentials{AccessKey: words[0], Secret: words[1]}, nil
}

// do sends a signed request; the caller closes the body of its answer.
func (r *remote) do(ctx context.Context, method, key, query string, h http.Header, body io.Reader, size int64) (*http.Response, error) {
	by, err := r.credentials()
	if err != nil {
		return nil, err
	}
	at := strings.TrimSuffix(r.target.Endpoint, "/") + "/" + r.target.Bucket + "/" + strings.ReplaceAll(url.PathEscape(key), "%2F", "/")
	if query != "" {
		at += "?" + query
	}
	if body == nil || size == 0 {
		body, size = http.NoBody, 0
	}
	q, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, err
	}
	if h != nil {
		q.Header = h
	}
	q.ContentLength = size
	if err := sign.Request(q, by, sign.Scope{Region: r.target.Region, Service: "s3", At: r.now()}, sign.UnsignedPayload); err != nil {
		return nil, err
	}
	res, err := r.client.Do(q)
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 != 2 {
		defer res.Body.Close()
		b, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
		return nil, &refusal{res.StatusCode, strings.TrimSpace(string(b))}
	}
	return res, nil
}

// same reports whether the target's object is what o is.
func (r *remote) same(ctx context.Context, o *index.Object) (bool, error) {
	res, err := r.do(ctx, http.MethodHead, o.Key, "", nil, nil, 0)
	if err != nil {
		if f, ok := err.(*refusal); ok && f.status == http.StatusNotFound {
			return false, nil
		}
		return false, err
	}
	_ = res.Body.Close()
	return strings.Trim(res.Header.Get("ETag"), `"`) == o.ETag && res.ContentLength == o.Size, nil
}

// headers are those that make the copy what the object is.
func headers(o *index.Object) http.Header {
	h := http.Header{}
	for name, v := range o.Headers {
		h.Set(name, v)
	}
	for name, v := range o.Meta {
		h.Set("X-Amz-Meta-"+name, v)
	}
	tags := url.Values{}
	for _, t := range o.Tags {
		tags.Add(t.Key, t.Value)
	}
	if len(tags) > 0 {
		h.Set("X-Amz-Tagging", tags.Encode())
	}
	if o.Retention != nil {
		h.Set("X-Amz-Object-Lock-Mode", o.Retention.Mode)
		h.Set("X-Amz-Object-Lock-Retain-Until-Date", o.Retention.Until.UTC().Format(time.RFC3339))
	}
	if o.Hold {
		h.Set("X-Amz-Object-Lock-Legal-Hold", "ON")
	}
	h.Set("X-Amz-Replication-Status", Replica)
	return h
}

// put copies a version, in the parts that it was made of, so that its ETag
// stays.
func (r *remote) put(ctx context.Context, o *index.Object, open func(part int) (io.ReadCloser, error)) error {
	if len(o.Pieces) > 0 && o.Pieces[0].Part > 0 {
		return r.putParts(ctx, o, open)
	}
	body, err := open(0)
	if err != nil {
		return err
	}
	defer body.Close()
	h := headers(o)
	if o.Checksum.Value != "" && !o.Checksum.Composite {
		h.Set(o.Checksum.Algorithm.Header(), o.Checksum.Value)
	}
	res, err := r.do(ctx, http.MethodPut, o.Key, "", h, body, o.Size)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

type completion struct {
	XMLName xml.Name `xml:"CompleteMultipartUpload"`
	Parts   []donePart
}

type donePart struct {
	XMLName    xml.Name `xml:"Part"`
	PartNumber int
	ETag       string
}

func (r *remote) putParts(ctx context.Context, o *index.Object, open func(part int) (io.ReadCloser, error)) (err error) {
	h := headers(o)
	if o.Checksum.Value != "" {
		h.Set("X-Amz-Checksum-Algorithm", string(o.Checksum.Algorithm))
		if h.Set("X-Amz-Checksum-Type", "FULL_OBJECT"); o.Checksum.Composite {
			h.Set("X-Amz-Checksum-Type", "COMPOSITE")
		}
	}
	res, err := r.do(ctx, http.MethodPost, o.Key, "uploads=", h, nil, 0)
	if err != nil {
		return err
	}
	var made struct{ UploadId string }
	if err := answer(res, &made); err != nil {
		return err
	}
	id := "uploadId=" + url.QueryEscape(made.UploadId)
	defer func() {
		if err != nil { // the parts would lie there
			if res, err := r.do(context.WithoutCancel(ctx), http.MethodDelete, o.Key, id, nil, nil, 0); err == nil {
				_ = res.Body.Close()
			}
		}
	}()
	var all completion
	for _, p := range o.Pieces {
		tag, err := r.putPart(ctx, o, p, id, open)
		if err != nil {
			return err
		}
		all.Parts = append(all.Parts, donePart{PartNumber: p.Part, ETag: tag})
	}
	doc, err := xml.Marshal(all)
	if err != nil {
		return err
	}
	if res, err = r.do(ctx, http.MethodPost, o.Key, id, nil, bytes.NewReader(doc), int64(len(doc))); err != nil {
		return err
	}
	var done struct {
		XMLName xml.Name
		ETag    string
		Code    string
	}
	if err := answer(res, &done); err != nil {
		return err
	}
	if done.XMLName.Local != "CompleteMultipartUploadResult" { // S3 may answer 200 before it fails
		return fmt.Errorf("the target did not complete the upload: %s", done.Code)
	}
	return nil
}

func (r *remote) putPart(ctx context.Context, o *index.Object, p index.Piece, id string, open func(part int) (io.ReadCloser, error)) (string, error) {
	body, err := open(p.Part)
	if err != nil {
		return "", err
	}
	defer body.Close()
	res, err := r.do(ctx, http.MethodPut, o.Key, "partNumber="+strconv.Itoa(p.Part)+"&"+id, nil, body, p.Size)
	if err != nil {
		return "", err
	}
	return res.Header.Get("ETag"), res.Body.Close()
}

// answer reads an answer that is a document.
func answer(res *http.Response, into any) error {
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	return xml.Unmarshal(b, into)
}
