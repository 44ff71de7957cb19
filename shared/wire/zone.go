package wire

import "time"

// NodeTokenRequest is the body of POST /v1/join-tokens of a clusterctl. With a
// Node the token admits a host under that name, also in place of one that has
// it; without, any new one.
type NodeTokenRequest struct {
	Node string `json:"node,omitempty"`
}

// NodeToken is its answer.
type NodeToken struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
}

// Adopted is the answer of POST /v1/adopt: what was done, in sentences.
type Adopted struct {
	Lines []string `json:"lines"`
}
