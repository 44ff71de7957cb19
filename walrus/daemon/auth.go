package daemon

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/sign"
	"karri/walrus/s3"
)

// users authenticates requests of the public listener by their signatures.
type users struct {
	verifier sign.Verifier
}

type userBody struct{ *sign.Body }

// Size is s3.Body's.
func (b userBody) Size() int64 { return b.Length }

// Authenticate is s3.Authenticator's.
func (u *users) Authenticate(r *http.Request) (s3.Caller, s3.Body, error) {
	who, body, err := u.verifier.Verify(r)
	if err != nil {
		return s3.Caller{}, nil, err
	}
	return s3.Caller{Anonymous: who.Anonymous, Account: who.Account, ARN: who.ARN, Rights: who.Rights, AccessKey: who.AccessKey, Presigned: who.Presigned}, userBody{body}, nil
}

// AuthenticateForm is s3.FormAuthenticator's.
func (u *users) AuthenticateForm(r *http.Request, fields map[string]string) (s3.Caller, error) {
	who, err := u.verifier.VerifyForm(r.Context(), fields)
	if err != nil {
		return s3.Caller{}, err
	}
	return s3.Caller{Account: who.Account, ARN: who.ARN, Rights: who.Rights, AccessKey: who.AccessKey, Presigned: true}, nil
}

// components takes who package rest found a request of the internal listener
// to come from.
type components struct{}

// Authenticate is s3.Authenticator's.
func (components) Authenticate(r *http.Request) (s3.Caller, s3.Body, error) {
	id := rest.Caller(r.Context())
	account := r.Header.Get(bucket.ForHeader)
	if account != "" && id.Role != pki.Cloudctl {
		return s3.Caller{}, nil, fault.New(fault.Denied, "AccessDenied", "%s may not ask with the rights of an account.", id)
	}
	body := &sizedBody{r: r.Body, size: -1}
	if v := r.Header.Get(bucket.SizeHeader); v != "" {
		n, err := strconv.ParseUint(v, 10, 63)
		if err != nil {
			return s3.Caller{}, nil, fault.New(fault.Invalid, "InvalidArgument", "%s is not a number of bytes.", bucket.SizeHeader)
		}
		body.size = int64(n)
		body.left = body.size
	} else if r.ContentLength >= 0 {
		body.size, body.left = r.ContentLength, r.ContentLength
	}
	if as := r.Header.Get(bucket.AsHeader); as != "" {
		if id.Role != pki.Cloudctl {
			return s3.Caller{}, nil, fault.New(fault.Denied, "AccessDenied", "%s may not put objects in the name of a service.", id)
		}
		return s3.Caller{Service: as, SourceARN: r.Header.Get(bucket.SourceARNHeader), SourceAccount: r.Header.Get(bucket.SourceAccountHeader)}, body, nil
	}
	return s3.Caller{
		Account: bucket.SystemAccount, ARN: id.String(), System: true, For: account,
		May: func(name string, write bool) bool { return mayTouch(id, name, write) },
	}, body, nil
}

// mayTouch says which buckets of the cloud a component works with: cloudctl
// keeps images, clusterctl reads them, blockstore keeps the snapshots of its
// zone and reads those of all. Cloudctl, which orders all of it, may do all.
func mayTouch(id pki.Identity, name string, write bool) bool {
	switch id.Role {
	case pki.Cloudctl:
		return true
	case pki.Clusterctl:
		return name == "karri-images" && !write
	case pki.Blockstore:
		return name == "karri-snapshots-"+id.Zone || strings.HasPrefix(name, "karri-snapshots-") && !write
	}
	return false
}

// A sizedBody reaches io.EOF only after exactly the bytes that were announced.
type sizedBody struct {
	r    io.Reader
	size int64
	left int64
}

// Size is s3.Body's.
func (b *sizedBody) Size() int64 { return b.size }

// Trailer is s3.Body's; the digest of a component's body is package rest's.
func (b *sizedBody) Trailer() http.Header { return nil }

func (b *sizedBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.size < 0 {
		return n, err
	}
	b.left -= int64(n)
	if b.left < 0 || err == io.EOF && b.left > 0 {
		return 0, bucket.IncompleteBody.Because(fmt.Errorf("%d bytes were announced, %d are missing", b.size, b.left))
	}
	return n, err
}

// serveComponents adds the S3 operations to the internal API.
func serveComponents(in *rest.Internal, api http.Handler) {
	api = http.StripPrefix(bucket.Root, api)
	h := func(w http.ResponseWriter, r *http.Request) error {
		api.ServeHTTP(w, r)
		return nil
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete} {
		in.Handle(method, bucket.Root+"/{object:.*}", rest.Roles(pki.Cloudctl, pki.Clusterctl, pki.Blockstore), h)
	}
}
