//! Where events go: the data source name of a project.
