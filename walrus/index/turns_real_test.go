//go:build real

package index_test

import (
	"context"
	"sync/atomic"
	"testing"

	"karri/walrus/index"
	"karri/walrus/index/indextest"
	"karri/walrus/index/pgtest"
)

// turns asks two indexes over one database in turns.
type turns struct {
	index.Index // of what changes little
	two         [2]index.Index
	n           atomic.Uint32
}

func (p *turns) x() index.Index { return p.two[p.n.Add(1)%2] }

// TestTwoInTurns runs the suite so that hardly a change is asked for by the
// process that made it.
func TestTwoInTurns(t *testing.T) {
	server := pgtest.Start(t)
	indextest.Suite(t, func(t *testing.T) index.Index {
		address := server.Address(t)
		p := &turns{two: [2]index.Index{openPostgres(t, address), openPostgres(t, address)}}
		p.Index = p.two[0]
		return p
	})
}

func (p *turns) CreateBucket(ctx context.Context, b *index.Bucket) error {
	return p.x().CreateBucket(ctx, b)
}

func (p *turns) Bucket(ctx context.Context, name string) (*index.Bucket, error) {
	return p.x().Bucket(ctx, name)
}

func (p *turns) UpdateBucket(ctx context.Context, name string, change func(*index.Bucket) error) (*index.Bucket, error) {
	return p.x().UpdateBucket(ctx, name, change)
}

func (p *turns) DeleteBucket(ctx context.Context, name string) error {
	return p.x().DeleteBucket(ctx, name)
}

func (p *turns) BucketsOf(ctx context.Context, account string, q index.Query) (index.Listing[*index.Bucket], error) {
	return p.x().BucketsOf(ctx, account, q)
}

func (p *turns) Usage(ctx context.Context, bucket string) (index.Usage, error) {
	return p.x().Usage(ctx, bucket)
}

func (p *turns) Put(ctx context.Context, o *index.Object, when index.Condition) error {
	return p.x().Put(ctx, o, when)
}

func (p *turns) Object(ctx context.Context, bucket, key, version string) (*index.Object, error) {
	return p.x().Object(ctx, bucket, key, version)
}

func (p *turns) Delete(ctx context.Context, bucket, key, version string, when index.Condition) (index.Deleted, error) {
	return p.x().Delete(ctx, bucket, key, version, when)
}

func (p *turns) Update(ctx context.Context, bucket, key, version string, change func(*index.Object) error, when index.Condition) (*index.Object, error) {
	return p.x().Update(ctx, bucket, key, version, change, when)
}

func (p *turns) List(ctx context.Context, bucket string, q index.Query) (index.Listing[index.Entry], error) {
	return p.x().List(ctx, bucket, q)
}

func (p *turns) Versions(ctx context.Context, bucket string, q index.Query) (index.Listing[index.Entry], error) {
	return p.x().Versions(ctx, bucket, q)
}

func (p *turns) Inline(ctx context.Context, piece string) ([]byte, error) {
	return p.x().Inline(ctx, piece)
}

func (p *turns) CreateUpload(ctx context.Context, u *index.Upload) error {
	return p.x().CreateUpload(ctx, u)
}

func (p *turns) Upload(ctx context.Context, bucket, key, id string) (*index.Upload, error) {
	return p.x().Upload(ctx, bucket, key, id)
}

func (p *turns) PutPart(ctx context.Context, u *index.Upload, part index.Part) error {
	return p.x().PutPart(ctx, u, part)
}

func (p *turns) Parts(ctx context.Context, upload string, after, most int) ([]index.Part, bool, error) {
	return p.x().Parts(ctx, upload, after, most)
}

func (p *turns) Complete(ctx context.Context, u *index.Upload, parts []index.Part, o *index.Object, when index.Condition) error {
	return p.x().Complete(ctx, u, parts, o, when)
}

func (p *turns) Abort(ctx context.Context, bucket, key, id string) error {
	return p.x().Abort(ctx, bucket, key, id)
}

func (p *turns) Uploads(ctx context.Context, bucket string, q index.Query) (index.Listing[index.Upload], error) {
	return p.x().Uploads(ctx, bucket, q)
}

func (p *turns) Lines(ctx context.Context, most int) ([]index.Line, error) {
	return p.x().Lines(ctx, most)
}

func (p *turns) Claimed(ctx context.Context, piece string) (bool, error) {
	return p.x().Claimed(ctx, piece)
}

func (p *turns) Events(ctx context.Context, queue string, after uint64, most int) ([]index.Event, error) {
	return p.x().Events(ctx, queue, after, most)
}

func (p *turns) SetQuota(ctx context.Context, account string, quota index.Usage) error {
	return p.x().SetQuota(ctx, account, quota)
}

func (p *turns) SetMark(ctx context.Context, name string, old, mark []byte) error {
	return p.x().SetMark(ctx, name, old, mark)
}
