// Types of a class that rate-limiter-flexible documents for own stores, but only exports by its path.
declare module 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js' {
  // biome-ignore lint/style/noDefaultExport: the library's, which is CommonJS
  export { RateLimiterStoreAbstract as default } from 'rate-limiter-flexible';
}
