package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/token"
)

// JoinRequest is what a new component sends to POST /v1/join.
type JoinRequest struct {
	Secret  string `json:"secret"`  // of the join token
	CSR     []byte `json:"csr"`     // PEM; says who it is to be
	Address string `json:"address"` // host:port of its internal API; "" for none
}

// JoinReply lets the component in.
type JoinReply struct {
	Chain []byte            `json:"chain"` // PEM
	Root  []byte            `json:"root"`  // PEM
	Peers map[string]string `json:"peers"` // addresses that it needs: "walrus", "cloudctl" -> host:port
}

// ServeJoin adds POST /v1/join. admit checks the secret for the identity asked
// for, takes down the address and returns the certificate; the secret dies in
// the same transaction. A repeat of a join whose answer was lost, with the same
// key, should be admitted again.
func (in *Internal) ServeJoin(admit func(ctx context.Context, who pki.Identity, r JoinRequest) (JoinReply, error)) {
	in.Open("POST", "/v1/join", func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		var req JoinRequest
		if err := Read(r, &req); err != nil {
			return err
		}
		who, _, err := pki.Requested(req.CSR)
		if err != nil {
			return fault.New(fault.Invalid, "BadCertificateRequest", "The certificate request is not one of a component.").Because(err)
		}
		Note(r.Context(), "joins", who.String())
		callOf(r.Context()).claimed = who.String()
		rep, err := admit(r.Context(), who, req)
		if err != nil {
			return err
		}
		return JSON(w, rep)
	})
}

// ServeRenew adds POST /v1/renew, where a component gets a fresh certificate
// and tells the address that it has now; moved takes down both and returns the
// addresses that the component needs, as at its join.
func (in *Internal) ServeRenew(who Allow, issuer func() *pki.Credentials,
	moved func(ctx context.Context, who pki.Identity, address string, chain []byte) (peers map[string]string, err error)) {
	in.Handle("POST", "/v1/renew", who, func(w http.ResponseWriter, r *http.Request) error {
		var req JoinRequest
		if err := Read(r, &req); err != nil {
			return err
		}
		id, _, err := pki.Requested(req.CSR)
		if err != nil || id != Caller(r.Context()) {
			return fault.New(fault.Denied, "NotForYou", "A component renews its own certificate only.").Because(err)
		}
		chain, err := issuer().Issue(req.CSR, time.Now())
		if err != nil {
			return err
		}
		peers, err := moved(r.Context(), id, req.Address, chain)
		if err != nil {
			return err
		}
		return JSON(w, JoinReply{Chain: chain, Root: issuer().RootPEM(), Peers: peers})
	})
}

// Join sends a join request to the issuer that the token names, and believes
// it only when it has the authority that the token pins.
func Join(ctx context.Context, j token.Join, req JoinRequest, dial Dial) (JoinReply, error) {
	if dial == nil {
		dial = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	t := &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, // no root is known yet: the answer is checked against the pin below
	}, DisableKeepAlives: true}
	req.Secret = j.Secret
	client := &http.Client{Transport: t}
	// The chain of the issuer ends below the root, so first ask for the root,
	// check it against the pin, and only then show the secret under it.
	root, err := pinnedRoot(ctx, client, j)
	if err != nil {
		return JoinReply{}, err
	}
	t.TLSClientConfig.VerifyConnection = func(s tls.ConnectionState) error {
		id, err := pki.Verify(s.PeerCertificates, root.Root, time.Now())
		if err == nil && id.Role != pki.Cloudctl && id.Role != pki.Clusterctl {
			err = fmt.Errorf("%s does not let components in", id)
		}
		return err
	}
	b, err := json.Marshal(req)
	if err != nil {
		return JoinReply{}, err
	}
	rep := JoinReply{}
	if err := joinCall(ctx, client, http.MethodPost, "https://"+j.Address+"/v1/join", b, &rep); err != nil {
		return JoinReply{}, err
	}
	if !bytes.Equal(rep.Root, root.RootPEM()) {
		return JoinReply{}, errors.New("the issuer answered with another root than the token names")
	}
	return rep, nil
}

func pinnedRoot(ctx context.Context, client *http.Client, j token.Join) (*pki.Credentials, error) {
	var rep JoinReply
	if err := joinCall(ctx, client, http.MethodGet, "https://"+j.Address+"/v1/root", nil, &rep); err != nil {
		return nil, err
	}
	root, err := pki.ReadRoot(rep.Root)
	if err != nil {
		return nil, err
	}
	if pki.Hash(root.Root) != j.Root {
		return nil, fmt.Errorf("the authority at %s is not the one that the join token names", j.Address)
	}
	return root, nil
}

func joinCall(ctx context.Context, client *http.Client, method, url string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return fault.New(fault.Later, PeerAway, "The issuer of the join token does not answer.").Because(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fault.New(fault.Later, PeerAway, "The issuer of the join token does not answer.").Because(err)
	}
	if res.StatusCode >= 400 {
		f := &fault.Fault{}
		if json.Unmarshal(b, f) != nil || f.Code == "" {
			return fault.New(fault.Broken, "InternalError", "The issuer answered with status %d.", res.StatusCode)
		}
		return f
	}
	return json.Unmarshal(b, out)
}
