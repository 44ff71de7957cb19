package awsmodel

import "sync"

// EC2 returns the model of EC2.
var EC2 = sync.OnceValue(func() *Service { return &Service{Name: "ec2", Version: "2016-11-15", Protocol: "ec2"} })

// STS returns the model of the Security Token Service.
var STS = sync.OnceValue(func() *Service { return &Service{Name: "sts", Version: "2011-06-15", Protocol: "query"} })
