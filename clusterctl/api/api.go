// Package api is what a clusterctl answers to other components: orders and
// reports to cloudctl, and to it alone the administrator's requests; images
// and certificates to the nodes of its zone.
//
// A node gets the image of an instance that is placed on it and no other
// object of walrus, and the credentials of the roles of its instances and of no
// others, so a stolen node key reads nothing that the node has not.
package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"karri/clusterctl/images"
	"karri/clusterctl/keep"
	"karri/clusterctl/store"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/token"
	"karri/shared/wire"
)

// tokenLife is how long a join token for a node is good.
const tokenLife = 24 * time.Hour

// API answers the requests of other components.
type API struct {
	Zone   string
	Addr   string // of this API, for join tokens
	Self   func() *pki.Credentials
	Store  *store.Store
	Keeper *keep.Keeper
	Images *images.Cache
	Book   *wire.Book[wire.ClusterOrders]
	Board  *wire.Board[wire.ClusterReport]
	Client func(n store.Node) *rest.Client // of a node; the caller closes it
	Cloud  *rest.Client                    // of cloudctl

	logs logs
}

// Register adds the routes to in.
func (a *API) Register(in *rest.Internal) {
	cloud, nodes := rest.Roles(pki.Cloudctl), rest.NodesOf(a.Zone)
	wire.Serve(in, cloud, a.Book, a.Board)
	in.ServeJoin(a.join)
	in.ServeRenew(a.known, a.Self, a.moved)
	in.Handle("POST", "/v1/join-tokens", cloud, a.joinToken)
	in.Handle("POST", "/v1/nodes/{name}/forget", cloud, a.forget)
	in.Handle("POST", "/v1/adopt", cloud, a.adopt)
	in.Handle("GET", "/v1/instances/{id}/console", cloud, a.console)
	in.Handle("GET", "/v1/explain/{id}", cloud, a.explain)
	in.Handle("GET", "/v1/nodes/{name}/audit", cloud, a.nodeLog("/v1/audit", 20*time.Second))
	in.Handle("GET", "/v1/nodes/{name}/audit/verify", cloud, a.nodeLog("/v1/audit/verify", 5*time.Minute))
	in.Handle("GET", "/v1/images/{sha256}", nodes, a.image)
	in.Handle("POST", "/v1/instances/{id}/credentials", nodes, a.credentials)
}

// known allows the nodes that joined and were not forgotten.
func (a *API) known(who pki.Identity) bool {
	if who.Role != pki.Nodectl || who.Zone != a.Zone {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := a.Store.NodeNamed(ctx, who.Name)
	return err == nil
}

// moved takes down where the API of a node is now, and the certificate that it
// is given, if it is still the node of that name.
func (a *API) moved(ctx context.Context, who pki.Identity, address string, chain []byte) (map[string]string, error) {
	if err := a.Store.SetAddress(ctx, who.Name, rest.CallerKey(ctx), address); err != nil {
		return nil, err
	}
	if err := a.certified(ctx, who.Name, rest.CallerKey(ctx), chain); err != nil {
		return nil, err
	}
	a.Keeper.NodesChanged()
	return nil, nil
}

func (a *API) join(ctx context.Context, who pki.Identity, r rest.JoinRequest) (rest.JoinReply, error) {
	if who.Role != pki.Nodectl || who.Zone != a.Zone {
		return rest.JoinReply{}, fault.New(fault.Denied, "NotForYou", "Only nodes of %s join here, not %s.", a.Zone, who)
	}
	if r.Address == "" {
		return rest.JoinReply{}, fault.New(fault.Invalid, "BadRequest", "A node tells the address of its API.")
	}
	_, key, err := pki.Requested(r.CSR)
	if err != nil {
		return rest.JoinReply{}, err
	}
	if _, err := a.Store.Admit(ctx, token.HashSecret(r.Secret), who.Name, pki.KeyHash(key), r.Address, time.Now()); err != nil {
		return rest.JoinReply{}, err
	}
	chain, err := a.Self().Issue(r.CSR, time.Now())
	if err != nil {
		return rest.JoinReply{}, err
	}
	if err := a.certified(ctx, who.Name, pki.KeyHash(key), chain); err != nil {
		return rest.JoinReply{}, err
	}
	a.Keeper.NodesChanged()
	return rest.JoinReply{Chain: chain, Root: a.Self().RootPEM()}, nil
}

// certified keeps what a node is about to be given, so that it can be revoked.
func (a *API) certified(ctx context.Context, name, key string, chain []byte) error {
	serial, expires, err := pki.Issued(chain)
	if err != nil {
		return err
	}
	return a.Store.Certified(ctx, name, key, serial, expires)
}

func (a *API) joinToken(w http.ResponseWriter, r *http.Request) error {
	var req wire.NodeTokenRequest
	if err := rest.Read(r, &req); err != nil {
		return err
	}
	if req.Node != "" {
		who := pki.Identity{Role: pki.Nodectl, Zone: a.Zone, Name: req.Node}
		if _, err := pki.Parse(who.String()); err != nil {
			return fault.New(fault.Invalid, "InvalidParameterValue", "%q cannot be the name of a node.", req.Node).Because(err)
		}
	}
	j := token.NewJoin(a.Addr, pki.Hash(a.Self().Root))
	expires := time.Now().Add(tokenLife).UTC()
	if err := a.Store.AddJoinToken(r.Context(), j.Hash(), req.Node, expires); err != nil {
		return err
	}
	return rest.JSON(w, wire.NodeToken{Token: j.String(), Expires: expires})
}

func (a *API) forget(w http.ResponseWriter, r *http.Request) error {
	if err := a.Store.ForgetNode(r.Context(), rest.Var(r, "name"), time.Now()); err != nil {
		return err
	}
	a.Keeper.NodesChanged()
	return rest.JSON(w, struct{}{})
}

func (a *API) adopt(w http.ResponseWriter, r *http.Request) error {
	done, err := a.Keeper.Adopt(r.Context())
	if err != nil {
		return err
	}
	return rest.JSON(w, wire.Adopted{Lines: done})
}

// console passes on what the node of an instance has of its console.
func (a *API) console(w http.ResponseWriter, r *http.Request) error {
	what := rest.Var(r, "id")
	n, err := a.Store.NodeOf(r.Context(), id.Instance(what))
	if err != nil {
		return err
	}
	c := a.Client(n)
	defer c.Close()
	res, err := c.Do(r.Context(), rest.Request{Method: "GET", Path: "/v1/instances/" + what + "/console"})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	w.Header().Set("Content-Type", res.Header.Get("Content-Type"))
	_, err = io.Copy(w, res.Body)
	rest.NoteError(r.Context(), err)
	return nil
}

func (a *API) explain(w http.ResponseWriter, r *http.Request) error {
	what := rest.Var(r, "id")
	e, at, err := a.Keeper.Explain(r.Context(), what)
	if err != nil {
		return err
	}
	if at != "" {
		e.Below = append(e.Below, a.below(r.Context(), at, what))
	}
	return rest.JSON(w, e)
}

// below is what the node says, or why it says nothing.
func (a *API) below(ctx context.Context, node, what string) wire.Explanation {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	n, err := a.Store.NodeNamed(ctx, node)
	var e wire.Explanation
	if err == nil {
		c := a.Client(n)
		defer c.Close()
		err = c.Call(ctx, "GET", "/v1/explain/"+what, nil, nil, &e)
	}
	if err != nil {
		e = wire.Explanation{Tier: "nodectl " + node}
		e.Say("cannot be asked: %v", err)
	}
	return e
}

// image serves an image to a node that has an instance made of it.
func (a *API) image(w http.ResponseWriter, r *http.Request) error {
	sum, bucket, key := rest.Var(r, "sha256"), r.URL.Query().Get("bucket"), r.URL.Query().Get("key")
	ok, err := a.mayHave(r.Context(), wire.Image{SHA256: sum, Bucket: bucket, Key: key})
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.Denied, "NotForYou", "No instance on this node is made of this image.")
	}
	f, err := a.Images.Image(r.Context(), sum, bucket, key)
	if err != nil {
		return err
	}
	defer f.Close()
	w.Header().Set("ETag", `"`+sum+`"`)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// mayHave reports whether the node that calls has an instance made of img. A
// host whose name was given to another one has nothing.
func (a *API) mayHave(ctx context.Context, img wire.Image) (bool, error) {
	n, err := a.Store.NodeNamed(ctx, rest.Caller(ctx).Name)
	if err != nil || n.Key != rest.CallerKey(ctx) {
		return false, err
	}
	ps, err := a.Store.Placements(ctx)
	if err != nil {
		return false, err
	}
	o, _ := a.Book.Orders()
	for _, p := range ps {
		has := o.Instances[p.Instance].Image
		if p.NodeID == n.ID && has.SHA256 == img.SHA256 && has.Bucket == img.Bucket && has.Key == img.Key {
			return true, nil
		}
	}
	return false, nil
}
