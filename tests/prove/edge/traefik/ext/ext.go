// Package ext stands for a module of Traefik's repository that is not published: fields that other editions add.
package ext

type HTTP struct{}

type Router struct{}
